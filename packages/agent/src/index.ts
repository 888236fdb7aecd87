/** The cluster agent, for whoever runs it inside another process, such as a test. */
export { runAgent } from './agent.ts';
export { type AgentConfig, parseAgentConfig } from './config.ts';
