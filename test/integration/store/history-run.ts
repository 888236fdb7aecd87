/**
 * Writers and watchers on one store, telling each step to `report` before and after it happens. Used in the test's process for
 * etcd, and as a program of its own for the embedded store, so that the store can be killed with its writers.
 */
import { openSync, writeSync } from 'node:fs';
import { hasReason, sleep } from '@drover/base';
import { openSqliteStore, type Store } from '@drover/store';
import type { HistoryRecord, Seen } from './history-checker.ts';

export type Report = HistoryRecord | ({ readonly type: 'seen'; readonly watcher: string } & Seen);

export interface RunOptions {
  readonly name: string;
  readonly writers: number;
  readonly report: (report: Report) => void;
  readonly signal: AbortSignal;
}

/** Writes until the signal aborts; refusals and unknown outcomes are part of it. */
export async function write(store: Store, options: RunOptions): Promise<void> {
  const { name, signal, report } = options;
  let count = 0;
  const one = async (writer: number) => {
    while (!signal.aborted) {
      const id = `${name}-${writer}-${(count += 1)}`;
      const key = `k/${Math.floor(Math.random() * 8)}`;
      const entry = await store.get(key).catch(() => undefined);
      const gone = entry !== undefined && Math.random() < 0.2;
      const value = gone ? undefined : JSON.stringify(id);
      report({ type: 'invoke', id, key, value });
      try {
        report({ type: 'ok', id, revision: await change(store, { key, value, entry: entry?.revision }) });
      } catch (error) {
        if (hasReason(error, 'Conflict', 'NotFound', 'AlreadyExists')) report({ type: 'fail', id });
        else await sleep(20);
      }
    }
  };
  await Promise.all(Array.from({ length: options.writers }, (_, writer) => one(writer)));
}

async function change(
  store: Store,
  what: { key: string; value: string | undefined; entry: number | undefined },
): Promise<number> {
  const { key, value, entry } = what;
  const op = value === undefined ? ({ type: 'delete', key } as const) : ({ type: 'put', key, value } as const);
  return store.txn([{ key, revision: entry ?? 0 }], [op]);
}

/** Watches until the signal aborts and reports what it saw. */
export async function watch(
  store: Store,
  options: { name: string; after: number; report: (report: Report) => void; signal: AbortSignal },
): Promise<void> {
  const { name, after, report, signal } = options;
  for await (const event of store.watch('k/', { after, signal, bookmarkEveryMs: 10 })) {
    const { revision } = event;
    if (event.type === 'bookmark') report({ type: 'seen', watcher: name, revision });
    else if (event.type === 'put')
      report({ type: 'seen', watcher: name, revision, key: event.entry.key, value: event.entry.value });
    else report({ type: 'seen', watcher: name, revision, key: event.key });
  }
}

/** Arguments: the store, the file for the reports, the name of the run, where the watchers go on as `name=revision`…, and how far it may compact. */
async function main([path, reports, name, compactTo, ...watchers]: string[]): Promise<void> {
  // A file takes each line at once and keeps it through a kill; a pipe may be full.
  const file = openSync(reports!, 'a');
  const report = (line: Report) => writeSync(file, `${JSON.stringify(line)}\n`);
  await using store = await openSqliteStore({ path: path! });
  const { signal } = new AbortController();
  await store.compact(Number(compactTo));
  const watching = watchers.map(text => {
    const [watcher, after] = text.split('=');
    return watch(store, { name: watcher!, after: Number(after), report, signal });
  });
  await Promise.all([write(store, { name: name!, writers: 16, report, signal }), ...watching]);
}

if (import.meta.main) await main(process.argv.slice(2));
