/** Opening the audit log: what can't be written or read is told at the start, and the end writes what was seen. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLog } from '@drover/base';
import { connectedAddress } from '../http/client-address.ts';
import { parseAudit } from './audit-config.ts';
import { openAudit } from './open-audit.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-audit-'));
});
after(() => rm(dir, { recursive: true, force: true }));

const open = (given: Record<string, string>) =>
  openAudit(parseAudit(name => given[name])!, { addressOf: connectedAddress, log: silentLog });

test('a place that can not be used is a reason not to start', async () => {
  const file = join(dir, 'file');
  await writeFile(file, '');
  await assert.rejects(
    open({ 'audit-log': join(file, 'below.log') }),
    /^StatusError: --audit-log: can't write .*below\.log/,
  );
  const hook = { 'audit-webhook': 'https://logs.example.com/' };
  await assert.rejects(
    open({ ...hook, 'audit-webhook-ca': join(dir, 'none') }),
    /--audit-webhook-ca: can't read .*none/,
  );
  await assert.rejects(
    open({ ...hook, 'audit-webhook-token-file': join(dir, 'none') }),
    /--audit-webhook-token-file: can't read .*none/,
  );
});

test('an open log counts by place, and its file is there from the start', async () => {
  const path = join(dir, 'audit.log');
  await writeFile(join(dir, 'token'), 'x');
  await chmod(join(dir, 'token'), 0o600);
  await using audit = await open({
    'audit-log': path,
    'audit-webhook': 'http://127.0.0.1:9/',
    'audit-webhook-token-file': join(dir, 'token'),
  });
  assert.equal(await readFile(path, 'utf8'), '');
  assert.deepEqual(
    audit.counts().map(({ name, dropped }) => [name, dropped]),
    [
      ['file', 0],
      ['webhook', 0],
    ],
  );
});
