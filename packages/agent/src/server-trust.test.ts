/** Trust in the server: a pin decides alone, and what does not hash to it is never trusted. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ensureCa, issueCert } from '@drover/engine';
import { checksumOf, serverCa } from './server-trust.ts';

const dir = await mkdtemp(join(tmpdir(), 'drover-trust-'));
const ca = await ensureCa(dir, 'ca', 'test');
const pair = await issueCert(ca, {
  commonName: 'server',
  dnsNames: ['localhost'],
  ips: ['127.0.0.1'],
  usages: ['server'],
});
let bundle = ca.cert.trim();
const server = createServer({ cert: pair.cert, key: pair.key.reveal() }, (_, response) => {
  response.end(JSON.stringify({ type: 'setting', value: bundle }));
});
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
after(async () => {
  server.close();
  await rm(dir, { recursive: true });
});

test('a bundle that hashes to the pin is trusted, from the server or from a file', async () => {
  const caChecksum = checksumOf(ca.cert);
  assert.equal((await serverCa({ caChecksum }, url))?.trim(), ca.cert.trim());
  const caFile = join(dir, 'bundle.pem');
  await writeFile(caFile, ca.cert);
  assert.equal(await serverCa({ caFile }, url), ca.cert);
  await assert.rejects(serverCa({ caFile, caChecksum: '0'.repeat(64) }, url), /not the pinned/);
});

test('anything else is refused, and without a pin nothing is fetched', async () => {
  await assert.rejects(serverCa({ caChecksum: '0'.repeat(64) }, url), /not the pinned/);
  bundle = '';
  await assert.rejects(serverCa({ caChecksum: '0'.repeat(64) }, url), /nothing can be pinned/);
  await assert.rejects(serverCa({ caChecksum: '0'.repeat(64) }, 'https://127.0.0.1:1'), /can't get the CA bundle/);
  bundle = 'no certificate';
  await assert.rejects(serverCa({ caChecksum: checksumOf(bundle) }, url), /holds no certificate/);
  assert.equal(await serverCa({}, 'https://127.0.0.1:1'), undefined);
});
