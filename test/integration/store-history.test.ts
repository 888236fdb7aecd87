/** No acknowledged write lost, no event lost, doubled or reordered: under concurrent writers, kill -9, restarts and compaction. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sleep, until } from '@drover/base';
import { openEtcdStore, openSqliteStore } from '@drover/store';
import { Etcd, etcdBinaries } from './store/etcd.ts';
import { checkHistory, type HistoryRecord, type Seen, type WatcherLog } from './store/history-checker.ts';
import { type Report, watch, write } from './store/history-run.ts';

const program = fileURLToPath(new URL('./store/history-run.ts', import.meta.url));

/** Sorts reports as they come in; a watcher that goes on in a later run keeps its log. */
class Recording {
  readonly records: HistoryRecord[] = [];
  readonly watchers = new Map<string, { name: string; after: number; seen: Seen[] }>();

  begin(name: string, after: number): void {
    this.watchers.set(name, { name, after, seen: [] });
  }

  add(report: Report): void {
    if (report.type !== 'seen') this.records.push(report);
    else this.watchers.get(report.watcher)!.seen.push(seenOf(report));
  }

  /** The last revision of which the watcher is sure to have seen everything. */
  reached(name: string): number {
    const { after, seen } = this.watchers.get(name)!;
    const last = seen.at(-1);
    return last ? Math.max(after, last.revision) : after;
  }

  faults(): string[] {
    const [reference, ...others] = this.watchers.values();
    return checkHistory(this.records, reference as WatcherLog, others);
  }

  acknowledged(): number {
    return this.records.filter(({ type }) => type === 'ok').length;
  }
}

function seenOf({ revision, key, value }: Report & { type: 'seen' }): Seen {
  return { revision, ...(key === undefined ? {} : { key }), ...(value === undefined ? {} : { value }) };
}

async function runAndKill(
  path: string,
  recording: Recording,
  options: { name: string; compactTo: number; forMs: number },
) {
  const watchers = [...recording.watchers.keys()].map(name => `${name}=${recording.reached(name)}`);
  const reports = `${path}.${options.name}`;
  const args = [program, path, reports, options.name, String(options.compactTo), ...watchers];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  try {
    await until(
      'writes',
      async () => {
        assert.equal(child.exitCode, null, 'the writers go on until they are killed');
        return (await readFile(reports, 'utf8')).split('"ok"').length > 200;
      },
      { timeoutMs: 20_000 },
    );
    await sleep(options.forMs);
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
  for (const line of (await readFile(reports, 'utf8')).split('\n')) if (line) recording.add(JSON.parse(line) as Report);
}

test('sqlite: the history is whole after kill -9, restarts and compaction', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'drover-history-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'drover.db');
  const recording = new Recording();
  recording.begin('reference', 0);
  recording.begin('second', 0);
  for (let round = 0; round < 5; round += 1) {
    const compactTo =
      round % 2 === 1 ? Math.min(...[...recording.watchers.keys()].map(name => recording.reached(name))) : 0;
    await runAndKill(path, recording, { name: `r${round}`, compactTo, forMs: 100 + Math.random() * 300 });
    const known = recording.watchers.get('reference')!.seen;
    const from = known[known.length - 1 - Math.floor(Math.random() * Math.min(50, known.length))]!.revision;
    if (from >= compactTo) recording.begin(`late-${round}`, from);
  }
  await using store = await openSqliteStore({ path });
  await catchUp(t, recording, store);
});

/** Lets every watcher see the rest, then judges. */
async function catchUp(t: TestContext, recording: Recording, store: Awaited<ReturnType<typeof openSqliteStore>>) {
  const stop = new AbortController();
  const end = await store.revision();
  const names = [...recording.watchers.keys()];
  const watching = names.map(name =>
    watch(store, {
      name,
      after: recording.reached(name),
      report: report => recording.add(report),
      signal: stop.signal,
    }),
  );
  await until('every watcher to reach the end', () => names.every(name => recording.reached(name) >= end), {
    timeoutMs: 15_000,
  });
  stop.abort();
  await Promise.all(watching);
  assert.deepEqual(recording.faults().slice(0, 5), []);
  assert.ok(recording.acknowledged() > 1000, 'enough was written to mean something');
  t.diagnostic(`${recording.acknowledged()} acknowledged writes, ${recording.watchers.size} watchers`);
}

for (const { name, path } of etcdBinaries()) {
  test(`${name}: the history of two replicas is whole while etcd is killed and started again`, async t => {
    await using etcd = await Etcd.start(path);
    const endpoints = [etcd.endpoint];
    await using one = await openEtcdStore({ endpoints, requestTimeoutMs: 1000 });
    await using two = await openEtcdStore({ endpoints, requestTimeoutMs: 1000 });
    const recording = new Recording();
    const stop = new AbortController();
    const report = (line: Report) => recording.add(line);
    const start = await one.revision();
    const watchers = [one, two].map((store, at) => {
      recording.begin(`replica-${at}`, start);
      return watch(store, { name: `replica-${at}`, after: start, report, signal: stop.signal });
    });
    const watching = Promise.all(watchers);
    // Awaited at the end; a failure before that is not to hide behind this one.
    watching.catch(() => undefined);
    const halt = new AbortController();
    const writers = [one, two].map((store, at) =>
      write(store, { name: `w${at}`, writers: 8, report, signal: halt.signal }),
    );
    for (let round = 0; round < 3; round += 1) {
      const before = recording.acknowledged();
      await until('writes', () => recording.acknowledged() > before + 400, { timeoutMs: 25_000 });
      await etcd.kill();
      await etcd.restart();
    }
    halt.abort();
    await Promise.all(writers);
    recording.begin('late', Math.floor((start + recording.reached('replica-0')) / 2));
    const end = await one.revision();
    await until(
      'the live watchers to reach the end',
      () => recording.reached('replica-0') >= end && recording.reached('replica-1') >= end,
      {
        timeoutMs: 15_000,
      },
    );
    stop.abort();
    await watching;
    await catchUp(t, recording, two);
  });
}
