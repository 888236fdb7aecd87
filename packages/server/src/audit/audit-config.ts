/** What `drover up` is told about the audit log: where it goes, how much it tells, and how long it is kept. */
import { resolve } from 'node:path';
import { invalid } from '@drover/base';
import type { AuditLevel } from './record.ts';

export interface AuditConfig {
  readonly level: AuditLevel;
  readonly file?: AuditFileConfig;
  readonly webhook?: AuditWebhookConfig;
}

export interface AuditFileConfig {
  /** `-` is standard output. */
  readonly path: string;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly maxBackups: number;
}

export interface AuditWebhookConfig {
  readonly url: URL;
  readonly caFile?: string;
  readonly tokenFile?: string;
}

export const auditFlags = [
  {
    name: 'audit-log',
    value: 'FILE|-',
    help: 'write who did what to this file, or to standard output (default: nowhere)',
  },
  { name: 'audit-webhook', value: 'URL', help: 'send it to this URL as well or instead, as JSON lines' },
  {
    name: 'audit-level',
    value: '0|1|2|3',
    help: 'requests; with headers; with request bodies; with response bodies (default 0)',
  },
  { name: 'audit-max-size', value: 'MB', help: 'set the file aside when it is larger (default 100)' },
  { name: 'audit-max-age', value: 'DAYS', help: 'remove files set aside after so long (default 10; 0: never)' },
  { name: 'audit-max-backups', value: 'N', help: 'keep so many of them (default 10; 0: all)' },
  { name: 'audit-webhook-ca', value: 'FILE', help: 'CA that vouches for the webhook' },
  { name: 'audit-webhook-token-file', value: 'FILE', help: 'bearer token for the webhook' },
] as const;

const megabyte = 1 << 20;
const dayMs = 86_400_000;

/** Undefined where there is no audit log. Throws Invalid naming the flag. */
export function parseAudit(value: (name: string) => string | undefined): AuditConfig | undefined {
  const path = value('audit-log') || undefined;
  const url = value('audit-webhook') || undefined;
  if (path === undefined && url === undefined) {
    const without = auditFlags.find(({ name }) => value(name));
    if (without) throw invalid(`--${without.name}`, 'has a use only with --audit-log or --audit-webhook');
    return undefined;
  }
  const whole = (name: string, fallback: number, [least, most]: readonly [number, number]) => {
    const text = value(name) ?? String(fallback);
    const number = Number(text);
    if (!/^\d{1,9}$/.test(text) || number < least || number > most)
      throw invalid(`--${name}`, `"${text}" must be a whole number from ${least} to ${most}`);
    return number;
  };
  const level = whole('audit-level', 0, [0, 3]) as AuditLevel;
  const file = {
    path: path === undefined || path === '-' ? '-' : resolve(path),
    maxBytes: whole('audit-max-size', 100, [1, 100_000]) * megabyte,
    maxAgeMs: whole('audit-max-age', 10, [0, 36_500]) * dayMs,
    maxBackups: whole('audit-max-backups', 10, [0, 10_000]),
  };
  return {
    level,
    ...(path === undefined ? {} : { file }),
    ...(url === undefined ? {} : { webhook: hook(url, value) }),
  };
}

function hook(text: string, value: (name: string) => string | undefined): AuditWebhookConfig {
  const caFile = value('audit-webhook-ca') || undefined;
  const tokenFile = value('audit-webhook-token-file') || undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLocal = url !== undefined && /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname);
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)) || url.hash)
    throw invalid(
      '--audit-webhook',
      'must be an https URL (http only on this machine), such as https://logs.example.com/in',
    );
  // They would be in every process list and error.
  if (url.username || url.password)
    throw invalid('--audit-webhook', 'must hold no password; use --audit-webhook-token-file');
  return { url, ...(caFile ? { caFile } : {}), ...(tokenFile ? { tokenFile } : {}) };
}
