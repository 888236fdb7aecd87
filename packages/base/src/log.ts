/**
 * Structured logs: one JSON line each on stderr. Secrets print as ***, and keys that carry credentials are redacted
 * by name as a second net.
 */
import { type Logger, pino } from 'pino';

export type Log = Logger;

const credentialKeys = ['password', 'token', 'authorization', 'cookie', 'secret', 'credential', 'kubeconfig'];

export interface LogOptions {
  readonly level?: string;
  readonly name?: string;
}

/** A logger writing JSON lines to stderr; stdout stays for what a command answers. */
export function createLog(options: LogOptions = {}): Log {
  return pino(
    {
      name: options.name ?? 'drover',
      level: options.level ?? process.env['DROVER_LOG_LEVEL'] ?? 'info',
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: credentialKeys.flatMap(key => [key, `*.${key}`]), censor: '***' },
    },
    pino.destination({ fd: 2, sync: false }),
  );
}

/** Drops everything: for tests and for library use without a log. */
export const silentLog: Log = pino({ level: 'silent' });
