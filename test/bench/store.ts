/** The embedded store beside an etcd that this script starts, reached by our own etcd driver: writes, watch fan-out, lists. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@drover/base';
import { openEtcdStore, openSqliteStore, type Store } from '@drover/store';
import { Etcd, etcdBinaries } from '../integration/store/etcd.ts';
import type { Row } from './row.ts';

const value = JSON.stringify('x'.repeat(1022));
const watchers = 100;
const entries = 5000;

interface Figures {
  readonly sequential: number;
  readonly concurrent: number;
  readonly fanOut: number;
  readonly listMs: number;
}

/** Without an etcd on this machine the rows have no peer. */
export async function run(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-bench-store-'));
  try {
    const ours = await measure(await openSqliteStore({ path: join(folder, 'drover.db') }));
    const binary = etcdBinaries().at(-1);
    const peer = binary ? await measureEtcd(binary.path) : undefined;
    const row = (name: string, of: keyof Figures, unit: string): Row => ({
      name: `store: ${name}`,
      ours: ours[of],
      ...(peer ? { peer: peer[of] } : {}),
      unit,
      higherIsBetter: unit !== 'ms',
    });
    return [
      row('puts of 1 KB, one after the other', 'sequential', '/s'),
      row('puts of 1 KB, 64 at once', 'concurrent', '/s'),
      row(`events to ${watchers} watchers`, 'fanOut', '/s'),
      row(`list of ${entries} entries of 1 KB`, 'listMs', 'ms'),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureEtcd(path: string): Promise<Figures> {
  await using etcd = await Etcd.start(path);
  return await measure(await openEtcdStore({ endpoints: [etcd.endpoint] }));
}

async function measure(opened: Store): Promise<Figures> {
  await using store = opened;
  const sequential = await perSecond(500, async () => {
    for (let at = 0; at < 500; at += 1) await store.create(`s/${at}`, value);
  });
  let next = 0;
  const concurrent = await perSecond(entries, () =>
    Promise.all(
      Array.from({ length: 64 }, async () => {
        for (let at = next++; at < entries; at = next++) await store.create(`c/${String(at).padStart(6, '0')}`, value);
      }),
    ),
  );
  return { sequential, concurrent, fanOut: await fanOut(store), listMs: await listMs(store) };
}

async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (count / (performance.now() - began)) * 1000;
}

async function fanOut(store: Store): Promise<number> {
  const puts = 300;
  const stop = new AbortController();
  let seen = 0;
  const watching = Array.from({ length: watchers }, async () => {
    for await (const event of store.watch('f/', { signal: stop.signal })) if (event.type !== 'bookmark') seen += 1;
  });
  const rate = await perSecond(puts * watchers, async () => {
    await Promise.all(Array.from({ length: puts }, (_, at) => store.create(`f/${at}`, value)));
    await until('every event', () => seen === puts * watchers, { everyMs: 1, timeoutMs: 60_000 });
  });
  stop.abort();
  await Promise.all(watching);
  return rate;
}

/** The median of several. */
async function listMs(store: Store): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    const began = performance.now();
    const page = await store.list('c/');
    times.push(performance.now() - began);
    if (page.entries.length !== entries) throw new Error(`listed ${page.entries.length} of ${entries}`);
  }
  return times.sort((a, b) => a - b)[4]!;
}

if (import.meta.main) console.table(await run());
