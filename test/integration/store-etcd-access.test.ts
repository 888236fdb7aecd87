/** Reaching an etcd that asks who is there: TLS with client certificates, users, and tokens that run out. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasReason, isUnavailable, Secret, until } from '@drover/base';
import { findNodeBinaries } from '@drover/engine';
import { openEtcdStore } from '@drover/store';
import { collect } from '../../packages/store/src/store-suite.ts';
import { Etcd, etcdBinaries } from './store/etcd.ts';

const binaries = etcdBinaries();
if (binaries.length === 0) test('reaching etcd', t => t.skip('no etcd on this machine'));

// Built where there is Go; else the machine's own, if it has one.
const etcdctl = await findNodeBinaries(['etcdctl']).then(
  found => found['etcdctl']!.path,
  () => 'etcdctl',
);

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });

/** A CA with one certificate that is good for both sides. */
function certificates(folder: string, address = '127.0.0.1') {
  const at = (name: string) => join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.crt'), '-subj', '/CN=ca', '-days', '2');
  openssl('req', ...key, '-keyout', at('one.key'), '-out', at('one.csr'), '-subj', '/CN=one');
  writeFileSync(at('ext'), `subjectAltName=IP:${address}\nextendedKeyUsage=serverAuth,clientAuth\n`);
  const sign = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('ext')];
  openssl('x509', '-req', '-in', at('one.csr'), '-out', at('one.crt'), ...sign);
  return { ca: at('ca.crt'), cert: at('one.crt'), key: at('one.key') };
}

/** A store that opens after all is closed again, or it would keep the test's process. */
const knock = (options: Parameters<typeof openEtcdStore>[0]) =>
  openEtcdStore({ ...options, requestTimeoutMs: 1500 }).then(store => store[Symbol.asyncDispose]());

for (const { name, path } of binaries) {
  test(`${name}: a client certificate is asked for and shown`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-tls-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const files = certificates(folder);
    const args = [
      '--cert-file',
      files.cert,
      '--key-file',
      files.key,
      '--trusted-ca-file',
      files.ca,
      '--client-cert-auth',
    ];
    await using etcd = await Etcd.start(path, args, 'https');
    const endpoints = [etcd.endpoint];
    const ca = readFileSync(files.ca, 'utf8');
    const tls = { ca, cert: readFileSync(files.cert, 'utf8'), key: new Secret(readFileSync(files.key, 'utf8')) };
    await using store = await openEtcdStore({ endpoints, tls });
    await store.create('a', '1');
    await assert.rejects(knock({ endpoints, tls: { ca } }), isUnavailable);
    await assert.rejects(knock({ endpoints }), error => isUnavailable(error) && /certificate/.test(error.message));
  });

  test(`${name}: a certificate for another host is refused, by address and by name`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-tls-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const files = certificates(folder, '127.0.0.9');
    await using etcd = await Etcd.start(path, ['--cert-file', files.cert, '--key-file', files.key], 'https');
    const tls = { ca: readFileSync(files.ca, 'utf8') };
    for (const host of ['127.0.0.1', 'localhost'])
      await assert.rejects(
        knock({ endpoints: [etcd.endpoint.replace('127.0.0.1', host)], tls }),
        error => isUnavailable(error) && /does not match certificate/.test(error.message),
      );
  });

  test(`${name}: a user signs in, again when the token has run out, and a wrong password is refused`, async t => {
    await using etcd = await Etcd.start(path, ['--auth-token-ttl', '1']);
    const ctl = (...args: string[]) =>
      execFileSync(etcdctl, ['--endpoints', etcd.endpoint, ...args], {
        stdio: 'pipe',
        env: { ...process.env, ETCDCTL_API: '3' },
      });
    try {
      ctl('user', 'add', 'root:canary-password');
      ctl('user', 'grant-role', 'root', 'root');
      ctl('auth', 'enable');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      t.skip('no etcdctl on this machine');
      return;
    }
    const user = { endpoints: [etcd.endpoint], username: 'root', password: new Secret('canary-password') };
    await using store = await openEtcdStore(user);
    const watch = collect(store, '');
    await store.create('a', '1');
    const began = performance.now();
    await until('the token to run out', () => performance.now() - began > 3000);
    await store.create('b', '1');
    await until('both events', () => watch.events.length === 2);
    await etcd.kill();
    await etcd.restart();
    // Somebody else writes, so that the watch is the first to find that the token is not known any more.
    await until('a write after the restart', () => ctl('--user', 'root:canary-password', 'put', '/drover/c', '1'), {
      timeoutMs: 15_000,
    });
    await until('its event', () => watch.events.length === 3, { timeoutMs: 15_000 });
    await store.create('d', '1');
    await until('the event of its own write', () => watch.events.length === 4);
    watch.stop();
    await assert.rejects(
      openEtcdStore({ ...user, password: new Secret('canary-wrong') }),
      error => hasReason(error, 'Invalid', 'Unauthorized') && !error.message.includes('canary'),
    );
    await assert.rejects(openEtcdStore({ endpoints: user.endpoints }), error =>
      hasReason(error, 'Invalid', 'Unauthorized', 'Forbidden'),
    );
  });
}
