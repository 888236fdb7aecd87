/** The server's certificate: our own over a restart and a change of names, and given files that are refused by name. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog, until } from '@drover/base';
import { type CertPair, issueCert, makeCa } from '@drover/engine';
import { alternativeNames, openTls, type ServerTls, watchTls } from './tls.ts';

async function tempDir(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'drover-tls-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const request = { commonName: 'given', dnsNames: ['given.test'], usages: ['server'] } as const;

async function writePair(dir: string, pair: { cert: string; key: CertPair['key'] }) {
  const files = { cert: join(dir, 'given.crt'), key: join(dir, 'given.key') };
  await writeFile(files.key, pair.key.reveal());
  await writeFile(files.cert, pair.cert);
  return files;
}

test('our own certificate stays over a restart and names every way to this server', async () => {
  await using dir = await tempDir();
  const options = { dataDir: dir.path, listen: { host: '0.0.0.0' }, serverUrl: 'https://drover.test:8443', tls: {} };
  const first = await openTls(options);
  const again = await openTls(options);
  assert.equal(again.cert, first.cert);
  const leaf = new X509Certificate(first.cert);
  for (const name of ['localhost', 'drover.test']) assert.ok(leaf.checkHost(name), name);
  for (const ip of ['127.0.0.1', '::1']) assert.ok(leaf.checkIP(ip), ip);
  assert.ok(leaf.verify(new X509Certificate(first.cacerts).publicKey));
  assert.match(first.fingerprint, /^[0-9a-f]{64}$/);
});

test('another server URL gives another certificate of the same CA', async () => {
  await using dir = await tempDir();
  const options = { dataDir: dir.path, listen: { host: 'localhost' }, tls: {} };
  const first = await openTls(options);
  const moved = await openTls({ ...options, serverUrl: 'https://[2001:db8::1]' });
  assert.notEqual(moved.cert, first.cert);
  assert.equal(moved.cacerts, first.cacerts);
  assert.ok(new X509Certificate(moved.cert).checkIP('2001:db8::1'));
});

test('names: wildcard addresses are none', () => {
  const { dnsNames, ips } = alternativeNames({ listen: { host: '::' } });
  assert.ok(dnsNames.includes('localhost'));
  assert.deepEqual(ips, ['127.0.0.1', '::1']);
});

test('a given certificate is served with its private CA told of', async () => {
  await using dir = await tempDir();
  const ca = await makeCa('private');
  const leaf = await issueCert(ca, request);
  const tls = await writePair(dir.path, { cert: leaf.cert + ca.cert, key: leaf.key });
  const open = await openTls({ dataDir: dir.path, listen: { host: 'localhost' }, tls });
  assert.equal(open.cacerts.trim(), ca.cert.trim());
  const bare = await writePair(dir.path, leaf);
  assert.equal((await openTls({ dataDir: dir.path, listen: { host: 'localhost' }, tls: bare })).cacerts, '');
});

const refused: { name: string; make: () => Promise<{ cert: string; key: CertPair['key'] }>; message: RegExp }[] = [
  {
    name: 'another key',
    message: /--tls-key: .*given\.key is not the key of the first certificate in .*given\.crt/,
    async make() {
      const ca = await makeCa('ca');
      return { cert: (await issueCert(ca, request)).cert, key: ca.key };
    },
  },
  {
    name: 'an end in the past',
    message: /--tls-cert: .*given\.crt ended on/,
    make: async () => issueCert(await makeCa('ca'), { ...request, days: -1 }),
  },
  {
    name: 'a chain out of order',
    message: /certificate 1 of .*given\.crt is not issued by the one after it/,
    async make() {
      const leaf = await issueCert(await makeCa('ca'), request);
      return { cert: leaf.cert + (await makeCa('other')).cert, key: leaf.key };
    },
  },
  {
    name: 'no certificate in it',
    message: /given\.crt holds no PEM certificate/,
    make: async () => ({ cert: 'hello', key: (await makeCa('ca')).key }),
  },
];
for (const { name, make, message } of refused) {
  test(`a given certificate with ${name} is refused by flag and file`, async () => {
    await using dir = await tempDir();
    const tls = await writePair(dir.path, await make());
    await assert.rejects(openTls({ dataDir: dir.path, listen: { host: 'localhost' }, tls }), message);
  });
}

test('a file that is not there is refused by flag and file', async () => {
  const tls = { cert: '/nowhere/a.crt', key: '/nowhere/a.key' };
  await assert.rejects(
    openTls({ dataDir: '/nowhere', listen: { host: 'localhost' }, tls }),
    /--tls-cert: can't read \/nowhere\/a\.crt/,
  );
});

test('a replaced file is taken up, a broken one leaves what is served', async () => {
  await using dir = await tempDir();
  const ca = await makeCa('ca');
  const tls = await writePair(dir.path, await issueCert(ca, request));
  const options = { dataDir: dir.path, listen: { host: 'localhost' }, tls };
  const stop = new AbortController();
  const seen: ServerTls[] = [];
  const first = await openTls(options);
  const watching = watchTls(options, first, {
    onChange: next => seen.push(next),
    log: silentLog,
    signal: stop.signal,
    everyMs: 10,
  });
  await writeFile(tls.cert, 'broken');
  const renewed = await issueCert(ca, { ...request, dnsNames: ['renewed.test'] });
  await writePair(dir.path, renewed);
  await until('the new certificate', () => seen.some(next => next.cert === renewed.cert));
  assert.equal(seen.filter(next => next.cert === 'broken').length, 0);
  stop.abort();
  await watching;
});
