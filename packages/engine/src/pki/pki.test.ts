/** Certificates as the verifiers see them: node's own TLS, openssl's strict mode, and Go where it is installed. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { promisify } from 'node:util';
import { Secret } from '@drover/base';
import {
  type CertRequest,
  ensureCa,
  ensureCert,
  ensureKeyPair,
  fingerprint,
  issueCert,
  makeCa,
  renewalReason,
} from './index.ts';

const run = promisify(execFile);

async function tempDir(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'drover-pki-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const server = {
  commonName: 'server',
  dnsNames: ['localhost', 'kube.test'],
  ips: ['127.0.0.1', '::1'],
  usages: ['server'],
} as const;

test('a server and a client that share a CA accept each other over TLS', async () => {
  const ca = await makeCa('test ca');
  const [serverCert, clientCert] = await Promise.all([
    issueCert(ca, server),
    issueCert(ca, { commonName: 'admin', organizations: ['system:masters'], usages: ['client'] }),
  ]);
  const seen = Promise.withResolvers<string>();
  const listener = createServer(
    { cert: serverCert.cert, key: serverCert.key.reveal(), ca: ca.cert, requestCert: true, rejectUnauthorized: true },
    socket => {
      seen.resolve(JSON.stringify(socket.getPeerCertificate().subject));
      socket.end();
    },
  );
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve));
  const port = (listener.address() as { port: number }).port;
  const socket = connect({ port, host: '127.0.0.1', ca: ca.cert, cert: clientCert.cert, key: clientCert.key.reveal() });
  socket.on('error', seen.reject);
  assert.equal(await seen.promise, '{"O":"system:masters","CN":"admin"}');
  socket.destroy();
  listener.close();
});

test('openssl verifies what is issued, in its strict mode', async t => {
  if (spawnSync('openssl', ['version']).error) return t.skip('openssl is not installed');
  await using dir = await tempDir();
  const ca = await ensureCa(dir.path, 'ca', 'test ca');
  for (const usages of [['server'], ['client'], ['server', 'client']] as const) {
    await ensureCert(dir.path, 'leaf', { ca, request: { ...server, commonName: usages.join(), usages } });
    for (const usage of usages) {
      const purpose = usage === 'server' ? 'sslserver' : 'sslclient';
      const { stdout } = await run('openssl', [
        ...['verify', '-x509_strict', '-purpose', purpose, '-CAfile', join(dir.path, 'ca.crt')],
        join(dir.path, 'leaf.crt'),
      ]);
      assert.match(stdout, /: OK/);
    }
  }
});

test('a name in a certificate is a name, whatever it looks like', async () => {
  const ca = await makeCa('ca');
  const { cert } = await issueCert(ca, { commonName: 'eve+O=system:masters, O=system:masters', usages: ['client'] });
  const subject = new X509Certificate(cert).toLegacyObject().subject as unknown as Record<string, unknown>;
  assert.deepEqual({ ...subject }, { CN: 'eve+O=system:masters, O=system:masters' });
});

test('a leaf never outlives its CA and serial numbers are positive and differ', async () => {
  const ca = await makeCa('ca', { days: 10 });
  const [one, two] = await Promise.all([issueCert(ca, { ...server, days: 400 }), issueCert(ca, server)]);
  const [parsedCa, parsedOne, parsedTwo] = [ca, one, two].map(pair => new X509Certificate(pair.cert));
  assert.equal(parsedOne!.validTo, parsedCa!.validTo);
  assert.notEqual(parsedOne!.serialNumber, parsedTwo!.serialNumber);
  assert.match(parsedOne!.serialNumber, /^[4-7][0-9A-F]{31}$/);
});

const refused: [Partial<CertRequest>, RegExp][] = [
  [{ dnsNames: ['not a host'] }, /dnsNames: "not a host" is no host name/],
  [{ ips: ['300.1.1.1'] }, /ips: "300\.1\.1\.1" is no IPv4/],
  [{ dnsNames: [], ips: [] }, /dnsNames: a server certificate needs/],
];
for (const [change, message] of refused) {
  test(`a request with ${JSON.stringify(change)} is refused by field`, async () => {
    await assert.rejects(issueCert(await makeCa('ca'), { ...server, ...change }), message);
  });
}

test('fingerprint is the SHA-256 that openssl prints, without colons', async () => {
  const { cert } = await makeCa('ca');
  assert.equal(fingerprint(cert).length, 64);
  assert.equal(fingerprint(cert), new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase());
});

test('a directory keeps its certificates, and files with keys are for their owner alone', async () => {
  await using dir = await tempDir();
  const ca = await ensureCa(dir.path, 'ca', 'ca');
  const first = await ensureCert(dir.path, 'api', { ca, request: server });
  const again = await ensureCert(dir.path, 'api', { ca: await ensureCa(dir.path, 'ca', 'ca'), request: server });
  assert.equal(again.cert, first.cert);
  assert.deepEqual((await readdir(dir.path)).sort(), ['api.crt', 'api.key', 'ca.crt', 'ca.key']);
  assert.equal((await stat(join(dir.path, 'api.key'))).mode & 0o777, 0o600);
});

test('a certificate is issued again for the same key when its names, its subject or its CA no longer do', async () => {
  await using dir = await tempDir();
  const ca = await ensureCa(dir.path, 'ca', 'ca');
  const first = await ensureCert(dir.path, 'api', { ca, request: server });
  const wider = await ensureCert(dir.path, 'api', { ca, request: { ...server, ips: ['127.0.0.1', '10.0.0.1'] } });
  assert.notEqual(wider.cert, first.cert);
  assert.equal(wider.key.reveal(), first.key.reveal());
  const other = await makeCa('ca');
  assert.equal(renewalReason(wider.cert, wider.key, { ca: other.cert }), 'another CA issued it');
  assert.match(renewalReason(wider.cert, wider.key, { request: { commonName: 'x' } })!, /its subject is CN=server/);
  assert.equal(renewalReason(wider.cert, other.key, {}), 'its key is another one');
});

test('a certificate is renewed in the last third of its life', async () => {
  const ca = await makeCa('ca');
  const { cert, key } = await issueCert(ca, { ...server, days: 90 });
  const inDays = (days: number) => ({ now: new Date(Date.now() + days * 86_400_000) });
  assert.equal(renewalReason(cert, key, inDays(59)), undefined);
  assert.match(renewalReason(cert, key, inDays(61))!, /^it ends/);
});

test('a CA whose key is gone is an error that says what to do, and a crash between key and certificate heals', async () => {
  await using dir = await tempDir();
  const ca = await ensureCa(dir.path, 'ca', 'ca');
  await unlink(join(dir.path, 'ca.crt'));
  const healed = await ensureCa(dir.path, 'ca', 'ca');
  assert.equal(healed.key.reveal(), ca.key.reveal());
  await unlink(join(dir.path, 'ca.key'));
  await assert.rejects(ensureCa(dir.path, 'ca', 'ca'), /ca\.key is missing .* put the key back/);
});

test('a broken leaf key is replaced, a broken CA is not', async () => {
  await using dir = await tempDir();
  const ca = await ensureCa(dir.path, 'ca', 'ca');
  await ensureCert(dir.path, 'api', { ca, request: server });
  await writeFile(join(dir.path, 'api.key'), 'nonsense');
  const pair = await ensureCert(dir.path, 'api', { ca, request: server });
  assert.equal(renewalReason(pair.cert, pair.key, { ca: ca.cert, request: server }), undefined);
  await writeFile(join(dir.path, 'ca.crt'), 'nonsense');
  await assert.rejects(ensureCa(dir.path, 'ca', 'ca'), /ca\.crt can't be used: it does not parse/);
});

test('a service-account key pair stays the same and its public half is rewritten when lost', async () => {
  await using dir = await tempDir();
  const first = await ensureKeyPair(dir.path, 'service-account');
  await unlink(join(dir.path, 'service-account.pub'));
  const again = await ensureKeyPair(dir.path, 'service-account');
  assert.equal(again.key.reveal(), first.key.reveal());
  assert.ok(first.key instanceof Secret && /BEGIN PUBLIC KEY/.test(again.publicKey));
});
