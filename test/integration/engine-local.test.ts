/**
 * The local cluster for real: etcd, kube-apiserver, kube-controller-manager and kube-scheduler come up, come back after each
 * is killed, end with their parent however it dies, and find their data again.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { messageOf, until } from '@drover/base';
import { type Binaries, findBinaries, type LocalCluster, startLocalCluster } from '@drover/engine';
import { configMaps, KubeClient, namespaces } from '@drover/kube';

let binaries: Binaries;
let skip: string | undefined;
let dataDir: string;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'drover-local-'));
  try {
    binaries = await findBinaries({ allow: ['cache', 'download', 'build'] });
  } catch (error) {
    skip = messageOf(error);
  }
});
after(() => rm(dataDir, { recursive: true, force: true }));

const pids = async (cluster: LocalCluster) =>
  Object.fromEntries((await cluster.processes()).map(({ name, pid }) => [name, pid]));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('the cluster starts, heals from kill -9 of each part, stops, and finds its data when started again', async t => {
  if (skip !== undefined) return t.skip(skip);
  const startedAt = performance.now();
  const cluster = await startLocalCluster({ dataDir, binaries });
  try {
    t.diagnostic(`ready after ${Math.round(performance.now() - startedAt)} ms`);
    await using client = new KubeClient(cluster.connection);
    await client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kept', namespace: 'default' },
      data: { word: 'still here' },
    } as never);

    const memory = (await cluster.processes()).reduce((sum, { memoryBytes = 0 }) => sum + memoryBytes, 0);
    t.diagnostic(`${Math.round(memory / 1e6)} MB resident`);
    assert.ok(memory < 600e6, `${memory} bytes`);

    for (const name of ['kube-scheduler', 'kube-controller-manager', 'kube-apiserver', 'etcd']) {
      const before = (await pids(cluster))[name]!;
      process.kill(before, 'SIGKILL');
      const healed = await until(
        `${name} to be back`,
        async () => {
          const found = (await cluster.processes()).find(process => process.name === name)!;
          return found.state === 'ready' && found.pid !== before ? found : undefined;
        },
        { timeoutMs: 60_000 },
      );
      assert.equal(healed.restarts, 1);
    }
    // With etcd back, everything else is well again too, without a restart of its own.
    await until('the API to answer', () => client.get(namespaces, 'default'), { timeoutMs: 30_000 });
  } finally {
    await cluster.stop();
  }
  assert.deepEqual(new Set((await cluster.processes()).map(({ state }) => state)), new Set(['stopped']));

  await using again = await startLocalCluster({ dataDir, binaries });
  assert.equal(again.connection.server, cluster.connection.server);
  await using client = new KubeClient(cluster.connection);
  const kept = (await client.get(configMaps, 'kept', { namespace: 'default' })) as unknown as { data: unknown };
  assert.deepEqual(kept.data, { word: 'still here' });

  await assert.rejects(startLocalCluster({ dataDir, binaries }), /is run by another process already/);
});

test('a port that somebody else took is replaced, and the choice written back', async t => {
  if (skip !== undefined) return t.skip(skip);
  const path = join(dataDir, 'ports.json');
  const before = JSON.parse(await readFile(path, 'utf8'));
  const stranger = createServer();
  await new Promise<void>(resolve => stranger.listen(before.apiserver, '127.0.0.1', resolve));
  try {
    await using cluster = await startLocalCluster({ dataDir, binaries });
    const after = JSON.parse(await readFile(path, 'utf8'));
    assert.notEqual(after.apiserver, before.apiserver);
    assert.deepEqual({ ...after, apiserver: before.apiserver }, before);
    assert.equal(cluster.connection.server, `https://127.0.0.1:${after.apiserver}`);
  } finally {
    stranger.close();
  }
});

test('kill -9 of the parent leaves no process, and the next start is not held up by its traces', async t => {
  if (skip !== undefined) return t.skip(skip);
  const program = fileURLToPath(new URL('engine-local-parent.ts', import.meta.url));
  const parent = spawn(process.execPath, [program, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let line = '';
  for await (const chunk of parent.stdout) {
    line += chunk;
    if (line.includes('\n')) break;
  }
  const children = JSON.parse(line) as number[];
  assert.equal(children.filter(isAlive).length, 4);
  parent.kill('SIGKILL');
  await until('all four to be gone', () => !children.some(isAlive), { timeoutMs: 15_000 });

  // A pid file whose number belongs to somebody else by now: this very test process.
  await writeFile(join(dataDir, 'run', 'etcd.pid'), JSON.stringify({ pid: process.pid, startedAt: '1' }));
  await using cluster = await startLocalCluster({ dataDir, binaries });
  assert.equal(
    (await cluster.processes()).every(({ state }) => state === 'ready'),
    true,
  );
});

test('an aborted start leaves nothing running', async t => {
  if (skip !== undefined) return t.skip(skip);
  const giveUp = new AbortController();
  const seen: number[] = [];
  const starting = startLocalCluster({
    dataDir,
    binaries,
    signal: giveUp.signal,
    onProcess: ({ pid, name }) => {
      if (pid !== undefined) seen.push(pid);
      if (name === 'kube-apiserver' && pid !== undefined) giveUp.abort(new Error('changed my mind'));
    },
  });
  await assert.rejects(starting, /changed my mind/);
  assert.ok(seen.length > 0);
  assert.deepEqual(seen.filter(isAlive), []);
});

test('a start that cannot succeed says which part is not ready, why, and where its log is', async t => {
  if (skip !== undefined) return t.skip(skip);
  const dir = await mkdtemp(join(tmpdir(), 'drover-local-'));
  try {
    const broken = { ...binaries, path: (name: string) => (name === 'etcd' ? '/bin/false' : binaries.path('etcd')) };
    await assert.rejects(
      startLocalCluster({ dataDir: dir, binaries: broken, startTimeoutMs: 1_500 }),
      /did not start: etcd is waiting \([^;]*exit code 1\); see .*logs/,
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
