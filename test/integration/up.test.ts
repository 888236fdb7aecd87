/** `drover up` as a process: stopped, killed, started again, told nonsense; it says what is wrong, where, and harms nothing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { until } from '@drover/base';
import { buildWeb } from '../../tools/web/build.ts';
import { startServer } from '../server-process.ts';
import { mountSmallDisk } from './small-disk.ts';

const main = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url));

async function tempDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-up-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Runs `up` that is expected to end by itself, and answers how. */
async function refused(args: readonly string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [main, '--cluster', 'none', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', chunk => (text += chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, text };
}

const at = (dir: string, ...more: string[]) => ['--data-dir', dir, '--listen', '127.0.0.1:0', ...more];

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`after ${signal} and a new start everything is as it was, tokens too`, async t => {
    const dataDir = await tempDir(t);
    let token: string;
    let id: string;
    {
      await using server = await startServer({ dataDir });
      t.diagnostic(`ready after ${Math.round(server.readyMs)} ms`);
      token = await server.login();
      ({ id } = await server.ask(token, 'POST', '/v3/clusters', { name: 'kept' }));
      await server.stop(signal);
      if (signal === 'SIGINT') assert.equal(server.child.exitCode, 0);
    }
    await using server = await startServer({ dataDir });
    t.diagnostic(`ready again after ${Math.round(server.readyMs)} ms`);
    assert.equal((await server.ask(token, 'GET', `/v3/clusters/${id}`)).name, 'kept');
  });
}

test('the small fixed answers are there, and `/` leads people to the UI', async () => {
  await buildWeb();
  await using server = await startServer();
  const get = async (path: string, headers: Record<string, string> = {}) => server.fetch('GET', path, { headers });
  assert.equal((await get('/ping')).body, 'pong');
  assert.equal((await get('/healthz')).body, 'ok');
  assert.equal((await get('/readyz')).body, 'ok');
  assert.match((await get('/readyz?verbose')).body, /^\[\+\]store ok$/m);
  assert.match((await get('/rancherversion')).body.Version, /^v\d/);
  assert.deepEqual(
    (await get('/')).body.data.map((root: { links: { self: string } }) => root.links.self),
    [`${server.url}/v3`, `${server.url}/v3-public`],
  );
  const home = await get('/', { accept: 'text/html' });
  assert.deepEqual([home.status, home.headers['location']], [302, '/ui/']);
  const page = await get('/ui/', { accept: 'text/html' });
  assert.match(page.body, /<div id="root">/);
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
  // Whoever is on this machine may be a proxy that passes anybody on.
  assert.equal((await get('/metrics')).status, 403);
  const kept = (await readFile(join(server.dataDir, 'metrics.token'), 'utf8')).trim();
  assert.equal((await server.fetch('GET', '/metrics', { token: `${kept}x` })).status, 403);
  for (const token of [kept, await server.login()])
    assert.match((await server.fetch('GET', '/metrics', { token })).body, /^# TYPE /m);
});

test('a port that is taken, and a directory that is served from already, are named', async t => {
  await using server = await startServer();
  const taken = await refused(['--data-dir', await tempDir(t), '--listen', new URL(server.url).host]);
  assert.notEqual(taken.code, 0);
  assert.match(taken.text, new RegExp(`${new URL(server.url).host}.*in use`));
  const second = await refused(at(server.dataDir));
  assert.notEqual(second.code, 0, second.text);
  assert.ok(second.text.includes(server.dataDir), second.text);
  assert.ok(!second.text.includes('    at '), second.text);
  assert.equal((await server.fetch('GET', '/readyz')).body, 'ok');
});

test('a directory that is newer, damaged or somebody else’s is refused and left as it is', async t => {
  for (const [name, content, says] of [
    ['drover.json', '{"format":999}', /newer Drover/],
    ['drover.json', '{"form', /damaged/],
    ['thesis.tex', 'x', /not a Drover data directory/],
  ] as const) {
    const dir = await tempDir(t);
    await writeFile(join(dir, name), content);
    const { code, text } = await refused(at(dir));
    assert.equal(code, 2, text);
    assert.match(text, says);
    assert.ok(text.includes(dir), text);
    assert.deepEqual(await readdir(dir), [name]);
    assert.equal(await readFile(join(dir, name), 'utf8'), content);
  }
});

test('a directory that others may write to is refused', async t => {
  const dir = await tempDir(t);
  await chmod(dir, 0o777);
  const { code, text } = await refused(at(dir));
  assert.equal(code, 2, text);
  assert.match(text, /chmod 700/);
  assert.deepEqual(await readdir(dir), []);
});

test('a wrong flag is named, and nothing is made', async t => {
  const dir = join(await tempDir(t), 'data');
  for (const [args, says] of [
    [['--listen', 'nowhere'], /--listen/],
    [['--nonsense'], /--nonsense/],
    [['--tls-cert', 'x.pem'], /--tls-key/],
    [['--store', 'mysql://x'], /--store/],
    [['--drain-seconds', 'soon'], /--drain-seconds/],
  ] as const) {
    const { code, text } = await refused(['--data-dir', dir, ...args]);
    assert.equal(code, 2, text);
    assert.match(text, says);
    await assert.rejects(readdir(dir), { code: 'ENOENT' });
  }
});

test('with another secrets key the server does not start, and with its own it does', async t => {
  const dataDir = await tempDir(t);
  const first = await startServer({ dataDir });
  const token = await first.login();
  await first[Symbol.asyncDispose]();
  const other = join(await tempDir(t), 'other.key');
  const { code, text } = await refused(at(dataDir, '--secrets-key-file', other));
  assert.notEqual(code, 0);
  assert.match(text, /key/);
  assert.ok(!text.includes('    at '), text);
  await using again = await startServer({ dataDir });
  await again.ask(token, 'GET', '/v3/users?me=true');
});

test('on a full disk writes are refused by name while reads go on, and space heals it', async t => {
  using disk = await mountSmallDisk(t, '24m');
  if (!disk) return;
  const dataDir = disk.dir;
  await using server = await startServer({ dataDir });
  const token = await server.login();
  const filler = join(dataDir, 'filler');
  await writeFile(filler, '');
  for (const size of [1 << 20, 4096])
    await until('the disk to be full', async () =>
      appendFile(filler, Buffer.alloc(size)).then(
        () => false,
        error => error.code === 'ENOSPC',
      ),
    );
  const body = { type: 'cluster', name: 'one', description: 'x'.repeat(20_000) };
  const refusal = await until('a refusal', async () => {
    const answer = await server.fetch('POST', '/v3/clusters', {
      token,
      body: { ...body, name: `c${Math.random()}`.replace('.', '') },
    });
    return answer.status === 201 ? undefined : answer;
  });
  assert.equal(refusal.status, 503, JSON.stringify(refusal.body));
  assert.match(refusal.body.message, /disk is full/);
  assert.equal((await server.fetch('GET', '/v3/users?me=true', { token })).status, 200);
  await rm(filler);
  await until('writes again', async () => (await server.fetch('POST', '/v3/clusters', { token, body })).status === 201);
  await server.stop();
  assert.equal(server.child.exitCode, 0);
});

test('a data directory that can’t be written to is named', async t => {
  using disk = await mountSmallDisk(t, '8m');
  if (!disk) return;
  const { dir } = disk;
  disk.makeReadOnly();
  const { code, text } = await refused(at(dir));
  assert.notEqual(code, 0);
  assert.ok(text.includes(dir) && /read-only/i.test(text), text);
  assert.ok(!text.includes('    at '), text);
});

test('a request that runs when the end is asked for is answered, and then it ends', async () => {
  await using server = await startServer();
  const token = await server.login();
  const body = JSON.stringify({ type: 'cluster', name: 'last' });
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port), ca: server.ca });
  let answer = '';
  socket.setEncoding('utf8').on('data', chunk => (answer += chunk));
  const head = ['POST /v3/clusters HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${token}`];
  socket.write(
    [...head, 'Content-Type: application/json', `Content-Length: ${body.length}`, '', body.slice(0, 9)].join('\r\n'),
  );
  await until('it to be running', async () => (await server.fetch('GET', '/v3', { token })).status === 200);
  const ended = once(server.child, 'exit');
  server.child.kill('SIGTERM');
  await until('the stop to begin', () => server.output.includes('stopping'));
  socket.write(body.slice(9));
  await until('its answer', () => answer.includes('\r\n\r\n'));
  assert.match(answer, /^HTTP\/1\.1 201 /);
  assert.deepEqual(await ended, [0, null]);
});
