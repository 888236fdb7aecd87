/** A server moves with all that it knows from its file to a real etcd and back: the same users, tokens and clusters, nothing to set up anew. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startServer } from '../server-process.ts';
import { Etcd, etcdBinaries } from './store/etcd.ts';

const run = promisify(execFile);
const [binary] = etcdBinaries();
const skip = binary ? false : 'no etcd on this machine';
const main = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url));
let dir: string;
let etcd: Etcd;
let store: string;
let token: string;
let clusterId: string;

before(async () => {
  if (!binary) return;
  dir = await mkdtemp(join(tmpdir(), 'drover-copy-'));
  etcd = await Etcd.start(binary.path);
  store = etcd.endpoint.replace('http', 'etcd');
});
after(async () => {
  await etcd?.[Symbol.asyncDispose]();
  if (dir) await rm(dir, { recursive: true, force: true });
});

const dataDir = (name = 'data') => join(dir, name);
const copy = (...args: string[]) =>
  run(process.execPath, [main, '--data-dir', dataDir(), ...args]).then(
    ({ stdout }) => stdout,
    (error: { stderr: string }) => error.stderr,
  );
const serve = (...args: string[]) => startServer({ dataDir: dataDir(), args: ['--cluster', 'none', ...args] });

test('from the file to etcd', { skip }, async () => {
  {
    await using server = await serve();
    token = await server.login();
    clusterId = (await server.ask(token, 'POST', '/v3/clusters', { name: 'moved' })).id;
    assert.match(
      await copy('--copy-to', store),
      /drover:.*(in use|uses|locked|another)/i,
      'not while a server uses it',
    );
  }
  assert.match(await copy('--copy-to', store), /copied \d+ entries; start the server with --store etcd/);
  await using server = await serve('--store', store);
  assert.equal((await server.ask(token, 'GET', `/v3/clusters/${clusterId}`)).name, 'moved');
  await server.ask(token, 'PUT', `/v3/clusters/${clusterId}`, { name: 'moved-again' });
  await server.login();
});

test('and back, into a file that holds nothing', { skip }, async () => {
  assert.match(await copy('--store', store, '--copy-to', 'sqlite'), /--copy-to.*not empty/);
  for (const end of ['', '-wal', '-shm']) await rm(join(dataDir(), `drover.db${end}`), { force: true });
  assert.match(await copy('--store', store, '--copy-to', 'sqlite'), /copied \d+ entries/);
  await using server = await serve();
  assert.equal((await server.ask(token, 'GET', `/v3/clusters/${clusterId}`)).name, 'moved-again');
});

test('what is named wrongly is told', { skip }, async () => {
  assert.match(await copy('--copy-to', 'sqlite'), /--copy-to.*another store/);
  assert.match(await copy('--copy-to', 'mysql://x'), /--copy-to.*must be sqlite/);
});
