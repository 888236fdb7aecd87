/**
 * `drover agent`, `drover agent kube-api-auth` and `drover agent host`: runs until it is told to stop. A first SIGTERM or SIGINT
 * drains, a second one ends it at once.
 */
import { createLog, invalid, type Log, messageOf, StatusError } from '@drover/base';
import { runAgent } from './agent.ts';
import { parseAgentConfig, usage } from './config.ts';
import { defaultHostDir } from './host/host-config.ts';
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
    if (args[0] === 'host') {
      await host(args[1], args.slice(2), { log, signal: stop.signal });
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

async function host(
  what: string | undefined,
  args: readonly string[],
  context: { readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  if (what === 'run') {
    const { runHost } = await import('./host/run-host.ts');
    return await runHost(args[0] ?? defaultHostDir, context);
  }
  if (what !== 'install') throw invalid('host', 'must be install or run');
  const { installHost } = await import('./host/install-host.ts');
  const program = process.env['DROVER_AGENT_PROGRAM'];
  if (!program) throw invalid('DROVER_AGENT_PROGRAM', 'is not set: the node command sets it');
  await installHost(args, { program, write: text => void process.stdout.write(text) });
}

process.exitCode = await main(process.argv.slice(2));
