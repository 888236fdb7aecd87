/** Opens the audit log with its places, and closes it after the last request: what was seen is written, then sent. */
import { access, constants, readFile } from 'node:fs/promises';
import { invalid, type Log, messageOf } from '@drover/base';
import type { AddressOf } from '../http/client-address.ts';
import type { AuditConfig, AuditFileConfig, AuditWebhookConfig } from './audit-config.ts';
import { AuditLog } from './audit-log.ts';
import { RotatingFile } from './rotating-file.ts';
import { Shipper, type ShipperCounts } from './shipper.ts';
import { Webhook } from './webhook.ts';

export interface Audit extends AsyncDisposable {
  readonly observer: AuditLog;
  /** By place: what it has taken, what waits and what was lost. */
  counts(): readonly ShipperCounts[];
}

/** Throws Invalid naming the flag of a file that can't be written or read: better than a log with nothing in it. */
export async function openAudit(config: AuditConfig, deps: { addressOf: AddressOf; log: Log }): Promise<Audit> {
  await using made = new AsyncDisposableStack();
  const shippers: Shipper[] = [];
  if (config.file) shippers.push(await shipToFile(config.file, deps.log, made));
  if (config.webhook) shippers.push(await shipToWebhook(config.webhook, deps.log, made));
  const observer = made.use(
    new AuditLog({
      level: config.level,
      addressOf: deps.addressOf,
      log: deps.log,
      onLine: line => {
        for (const shipper of shippers) shipper.offer(line);
      },
      onLost: count => {
        for (const shipper of shippers) shipper.lose(count);
      },
    }),
  );
  const kept = made.move();
  return {
    observer,
    counts: () => shippers.map(shipper => shipper.counts),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function shipToFile(config: AuditFileConfig, log: Log, made: AsyncDisposableStack): Promise<Shipper> {
  if (config.path === '-') return made.use(new Shipper({ name: 'stdout', deliver: toStdout, log }));
  const file = made.use(new RotatingFile(config));
  await file.append([]).catch(cause => {
    throw invalid('--audit-log', `can't write ${config.path}: ${messageOf(cause)}`);
  });
  return made.use(new Shipper({ name: 'file', deliver: lines => file.append(lines), log, lingerMs: 50 }));
}

async function shipToWebhook(config: AuditWebhookConfig, log: Log, made: AsyncDisposableStack): Promise<Shipper> {
  const { url, caFile, tokenFile } = config;
  const unreadable = (flag: string, path: string) => (cause: unknown) => {
    throw invalid(flag, `can't read ${path}: ${messageOf(cause)}`);
  };
  const ca = caFile && (await readFile(caFile, 'utf8').catch(unreadable('--audit-webhook-ca', caFile)));
  if (tokenFile) await access(tokenFile, constants.R_OK).catch(unreadable('--audit-webhook-token-file', tokenFile));
  const webhook = made.use(new Webhook({ url, tokenFile, ...(ca ? { ca } : {}) }));
  return made.use(
    new Shipper({ name: 'webhook', deliver: (lines, signal) => webhook.post(lines, signal), log, lingerMs: 500 }),
  );
}

function toStdout(lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(lines.join(''), error => (error ? reject(error) : resolve()));
  });
}
