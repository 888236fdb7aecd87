/** Signing in elsewhere: providers that people are sent to, what they are configured to be, and command lines that wait for it. */
export * from './auth-configs.ts';
export { cliRequestPurge } from './cli-requests.ts';
export { configStructs, configTypeOf, configTypes } from './config-types.ts';
export { assertionPurge } from './seen-once.ts';
