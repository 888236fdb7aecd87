/** `drover up`: flags in, a server until it is told to stop. What goes wrong is one line that says what to do. */
import { createLog, messageOf, StatusError } from '@drover/base';
import { parseConfig, usage } from './config.ts';
import { copyTo } from './copy-to.ts';
import { serve } from './serve.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Error(name));
  });
}

try {
  const config = parseConfig(process.argv.slice(2));
  const level = process.env['DROVER_LOG_LEVEL'] ?? (process.stderr.isTTY ? 'warn' : 'info');
  if (config?.copyTo) await copyTo(config, say);
  else if (config) await serve({ config, say, log: createLog({ level }), signal: stop.signal });
  else process.stdout.write(usage);
} catch (error) {
  const known = error instanceof StatusError;
  process.stderr.write(`drover: ${known ? messageOf(error) : error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = known && error.details.field ? 2 : 1;
}
