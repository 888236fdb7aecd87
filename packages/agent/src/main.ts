/**
 * `drover agent`, and `drover agent kube-api-auth`: runs until it is told to stop. A first SIGTERM or SIGINT drains, a second one
 * ends it at once.
 */
import { createLog, messageOf, StatusError } from '@drover/base';
import { runAgent } from './agent.ts';
import { parseAgentConfig, usage } from './config.ts';
import { runKubeApiAuth } from './kube-api-auth/run.ts';
import { agentVersion } from './version.ts';

/** Runs with the given arguments; resolves with the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const log = createLog({ name: 'drover-agent' });
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(1);
      stop.abort(new Error('told to stop'));
    });
  }
  try {
    if (args[0] === 'kube-api-auth') {
      const write = (text: string) => void process.stdout.write(text);
      await runKubeApiAuth(args.slice(1), { log, signal: stop.signal, write });
      return 0;
    }
    const config = parseAgentConfig(args);
    if (!config) {
      process.stdout.write(usage);
      return 0;
    }
    log.info({ version: agentVersion }, 'agent starts');
    await runAgent(config, { log, signal: stop.signal });
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    process.stderr.write(`drover agent: ${messageOf(error)}\n`);
    if (!(error instanceof StatusError)) throw error;
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
