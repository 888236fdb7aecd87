/** Snapshots as a host makes them: of a real etcd, verified by another, sent to a real S3 server and fetched from it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { messageOf, until } from '@drover/base';
import { type CertPair, findBinaries, findNodeBinaries, issueCert, makeCa } from '@drover/engine';
import { type S3Server, s3Binary, startS3 } from './s3-server.ts';

const uid = 'c0ffee00-1111-4222-8333-444455556666';
const undo = new AsyncDisposableStack();
let why: string | undefined;
let dir = '';
let bin = '';
let binary = '';
let etcd = '';
let ca: CertPair;
let s3: S3Server;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ds-'));
  undo.defer(() => rm(dir, { recursive: true }));
  bin = join(dir, 'bin');
  try {
    const [kubernetes, others] = [
      await findBinaries({ names: ['etcd'] }),
      await findNodeBinaries(['etcdctl', 'etcdutl', 'etcd-snapshots']),
    ];
    const built = await s3Binary();
    if ('missing' in built) throw new Error(built.missing);
    binary = built.path;
    await mkdir(bin);
    await symlink(kubernetes.path('etcd'), join(bin, 'etcd'));
    for (const [name, { path }] of Object.entries(others)) await symlink(path, join(bin, name));
  } catch (error) {
    why = messageOf(error);
    return;
  }
  etcd = await startEtcd();
  ca = await makeCa('s3 ca');
  const cert = await issueCert(ca, { commonName: 's3', ips: ['127.0.0.1'], usages: ['server'] });
  s3 = undo.use(await startS3({ binary, dir, cert }));
});
after(() => undo.disposeAsync());

async function startEtcd(): Promise<string> {
  const [client, peer] = await Promise.all([freePort(), freePort()]);
  const [url, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  const args = [
    ...['--data-dir', join(dir, 'etcd'), '--listen-client-urls', url, '--advertise-client-urls', url],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
    ...['--initial-cluster', `default=${peerUrl}`, '--log-level', 'error', '--unsafe-no-fsync'],
  ];
  const child = spawn(join(bin, 'etcd'), args, { stdio: 'ignore' });
  const ended = once(child, 'close');
  undo.defer(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const put = async (key: string, value: string) => {
    const body = JSON.stringify({
      key: Buffer.from(key).toString('base64'),
      value: Buffer.from(value).toString('base64'),
    });
    const answer = await fetch(`${url}/v3/kv/put`, { method: 'POST', body });
    assert.equal(answer.status, 200);
  };
  await until('etcd to take writes', () => put('/registry/namespaces/kube-system', `k8s\0…$${uid}…`).then(() => true));
  // Larger than what one request brings to S3.
  for (let index = 0; index < 24; index++)
    await put(`/registry/filler/${index}`, randomBytes(700_000).toString('base64'));
  return url;
}

interface Settings {
  readonly s3?: object | undefined;
  readonly intervalSeconds?: number;
  readonly etcd?: object;
  readonly timeoutSeconds?: number;
}

const place = (more: object = {}) => ({
  endpoint: s3.host,
  bucket: 'snapshots',
  region: 'eu-1',
  folder: 'clusters/prod',
  accessKey: 'ak',
  secretKey: 'sk-secret',
  customCa: ca.cert,
  ...more,
});

const settingsOf = (snapshots: string, settings: Settings) =>
  JSON.stringify({
    dir: snapshots,
    cluster: 'prod',
    etcd: { endpoint: etcd },
    intervalSeconds: 3600,
    retention: 2,
    timeoutSeconds: 60,
    s3: place(),
    ...settings,
  });

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(snapshots: string, args: readonly string[], settings: Settings = {}, input = ''): Promise<Ran> {
  const child = spawn(join(bin, 'etcd-snapshots'), ['--settings', '-', ...args], {
    env: { PATH: `${bin}:${process.env['PATH']}` },
  });
  child.stdin.end(`${settingsOf(snapshots, settings)}\n${input}`);
  let [out, err] = ['', ''];
  child.stdout.on('data', chunk => (out += chunk));
  child.stderr.on('data', chunk => (err += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  assert.ok(!`${out}${err}`.includes('sk-secret'), 'no secret is ever said');
  return { code, out, err };
}

const folder = async (name: string) => mkdtemp(join(dir, `${name}-`));

function check(name: string, body: (t: import('node:test').TestContext) => Promise<void>): void {
  test(name, async t => {
    if (why !== undefined) return t.skip(why);
    await body(t);
  });
}

check('a snapshot is verified, sent, found again and fetched as it was', async () => {
  const [here, there] = [await folder('a'), await folder('b')];
  const saved = await run(here, ['save', 'one']);
  assert.equal(saved.code, 0, saved.err);
  const { keys, clusterUid, sha256, bytes } = JSON.parse(saved.out);
  assert.deepEqual([keys, clusterUid], [25, uid]);
  assert.equal((await stat(join(here, 'one.db'))).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(here), ['one.db'], 'what it took to verify it is gone');
  assert.equal((await run(here, ['send', 'one'])).code, 0);
  assert.equal((await run(here, ['put-state', 'one'], {}, 'the state')).code, 0);
  assert.equal((await run(there, ['get-state', 'one'])).out.trim(), 'the state');
  const fetched = await run(there, ['fetch', 'one']);
  assert.equal(fetched.code, 0, fetched.err);
  assert.equal(JSON.parse(fetched.out).sha256, sha256);
  assert.equal((await stat(join(there, 'one.db'))).mode & 0o777, 0o600);
  const listed = JSON.parse((await run(here, ['list'])).out) as { name: string; place: string; bytes: number }[];
  assert.deepEqual(listed.map(one => [one.name, one.place, one.bytes]).sort(), [
    ['one', 'host', bytes],
    ['one', 's3', bytes],
  ]);
  assert.equal((await run(here, ['remove', 'one'])).code, 0);
  assert.deepEqual(JSON.parse((await run(here, ['list'])).out), []);
});

const refusals: [string, () => object, RegExp][] = [
  ['an unknown access key', () => ({ accessKey: 'other' }), /does not know the access key/],
  ['a wrong secret key', () => ({ secretKey: 'wrong' }), /secret key is not the one of the access key/],
  ['a bucket that is not there', () => ({ bucket: 'nowhere' }), /there is no bucket nowhere/],
  [
    'a certificate of nobody known',
    () => ({ customCa: '' }),
    /signed by nobody known: give its authority as custom_ca/,
  ],
  ['an endpoint that is down', () => ({ endpoint: '127.0.0.1:9' }), /connection refused/],
];
for (const [what, change, message] of refusals) {
  check(`${what} is told in words`, async () => {
    const here = await folder('refused');
    await writeFile(join(here, 'one.db'), 'x');
    const { code, err } = await run(here, ['send', 'one'], { s3: place(change()), timeoutSeconds: 20 });
    assert.equal(code, 1);
    assert.match(err, message);
  });
}

check('an upload that breaks off leaves no snapshot there, and can be sent again', async () => {
  const here = await folder('broken');
  assert.equal((await run(here, ['save', 'big'])).code, 0);
  await using flaky = await startS3({ binary, dir, breakAfter: 300_000 });
  const to = { s3: place({ endpoint: `http://${flaky.host}` }), timeoutSeconds: 15 };
  const { code, err } = await run(here, ['send', 'big'], to);
  assert.equal(code, 1);
  assert.match(err, /S3 at .* send clusters\/prod\/big\.db/);
  assert.deepEqual(
    (JSON.parse((await run(here, ['list'], to)).out) as { place: string }[]).map(one => one.place),
    ['host'],
  );
  assert.equal((await run(here, ['send', 'big'])).code, 0);
});

check('half a snapshot, one of something else and one without room are refused', async () => {
  const here = await folder('bad');
  assert.equal((await run(here, ['save', 'good'])).code, 0);
  const { size } = await stat(join(here, 'good.db'));
  await truncate(join(here, 'good.db'), size - 4096);
  assert.match((await run(here, ['verify', 'good'])).err, /good\.db can't be restored/);
  await writeFile(join(here, 'noise.db'), randomBytes(1 << 20));
  const noise = await run(here, ['verify', 'noise']);
  assert.deepEqual([noise.code, (await readdir(here)).sort()], [1, ['good.db', 'noise.db']]);
  await writeFile(join(here, 'huge.db'), '');
  await truncate(join(here, 'huge.db'), 2 ** 43);
  assert.match((await run(here, ['verify', 'huge'])).err, /MiB are free in .*; \d+ MiB are needed/);
  const etcdGone = await run(here, ['save', 'never'], { etcd: { endpoint: 'http://127.0.0.1:9' }, timeoutSeconds: 10 });
  assert.match(etcdGone.err, /no snapshot could be made/);
  assert.ok(!(await readdir(here)).some(name => name.includes('never')));
});

check('recurring ones keep to their number, here and in S3', async () => {
  const here = await folder('loop');
  const file = join(dir, 'settings.json');
  await writeFile(file, settingsOf(here, { intervalSeconds: 1, s3: place({ folder: 'loop' }) }), { mode: 0o600 });
  const child = spawn(join(bin, 'etcd-snapshots'), ['--settings', file, 'loop'], {
    env: { PATH: `${bin}:${process.env['PATH']}` },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'close');
  let said = '';
  child.stderr.on('data', chunk => (said += chunk));
  const seen = new Set<string>();
  const list = async () =>
    JSON.parse((await run(here, ['list'], { s3: place({ folder: 'loop' }) })).out) as { name: string; place: string }[];
  await until(
    `four in S3: ${said}`,
    async () => {
      for (const { name, place: where } of await list()) if (where === 's3') seen.add(name);
      return seen.size >= 4;
    },
    { timeoutMs: 120_000, everyMs: 200 },
  );
  child.kill();
  await ended;
  const left = await list();
  const names = (where: string) => left.filter(one => one.place === where).map(one => one.name);
  assert.ok(names('host').length <= 3 && names('s3').length <= 3, JSON.stringify(left));
  assert.ok(names('s3').every(name => name.startsWith('prod_') && name.endsWith('_etcd')));
});

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
  });
  return promise;
}
