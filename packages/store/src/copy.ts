/**
 * Moves everything from one store to another, whatever their drivers: from one machine's file to etcd and back. Revisions begin
 * anew, so the new store gets an epoch above both.
 */
import { conflict, invalid } from '@drover/base';
import { epochKey, formatEpoch, nextEpoch } from './epoch.ts';
import { maxTxnOps } from './keys.ts';
import type { Entry, Op, Store } from './store.ts';

/** While it is there, the copy is not whole; a copy that was broken off is begun anew. */
const marker = '~copying';
const chunkChars = 400_000;

export interface CopyProgress {
  readonly copied: number;
  readonly total: number;
}

/**
 * Copies all entries and answers how many. Throws Invalid when `to` holds anything already, Conflict when somebody wrote to
 * `from` meanwhile: the servers that use either must be stopped.
 */
export async function copyStore(
  from: Store,
  to: Store,
  onProgress?: (progress: CopyProgress) => void,
): Promise<number> {
  if (await to.get(marker)) await empty(to);
  if ((await to.list('', { limit: 1 })).entries.length > 0) throw invalid('to', 'must be an empty store');
  await to.txn([], [{ type: 'put', key: marker, value: '{}' }]);

  let copied = 0;
  let token: string | undefined;
  let revision = 0;
  do {
    const page = await from.list('', { limit: 200, ...(token ? { continue: token } : {}) });
    for (const ops of chunks(page.entries)) await to.txn([], ops);
    copied += page.entries.length;
    onProgress?.({ copied, total: copied + page.remaining });
    token = page.continue;
    revision = page.revision;
  } while (token);
  await checkUntouched(from, revision);

  // The note of which key file the secrets need goes along, or a server with another one would start on the copy.
  const noted = await from.get('~keyring');
  const epoch = nextEpoch(from.epoch, to.epoch);
  await to.txn(
    [],
    [
      ...(noted ? [{ type: 'put', key: noted.key, value: noted.value } as const] : []),
      { type: 'put', key: epochKey, value: formatEpoch(epoch) },
      { type: 'delete', key: marker },
    ],
  );
  return copied;
}

/** Whether a copy into this store was broken off; it must be copied again before it is used. */
export async function isHalfCopied(store: Store): Promise<boolean> {
  return (await store.get(marker)) !== undefined;
}

function* chunks(entries: readonly Entry[]): Generator<Op[]> {
  let ops: Op[] = [];
  let chars = 0;
  for (const { key, value } of entries) {
    if (ops.length > 0 && (ops.length === maxTxnOps || chars + value.length > chunkChars)) {
      yield ops;
      ops = [];
      chars = 0;
    }
    ops.push({ type: 'put', key, value });
    chars += value.length;
  }
  if (ops.length > 0) yield ops;
}

async function empty(store: Store): Promise<void> {
  for (;;) {
    const { entries } = await store.list('', { limit: maxTxnOps });
    if (entries.length === 0) return;
    await store.txn(
      [],
      entries.map(({ key }) => ({ type: 'delete', key })),
    );
  }
}

async function checkUntouched(from: Store, revision: number): Promise<void> {
  const now = await from.revision();
  if (now === revision) return;
  const stop = new AbortController();
  // The store's own writes (heartbeats) move the revision too; the first bookmark past `now` says that there was nothing else.
  for await (const event of from.watch('', { after: revision, bookmarkEveryMs: 20, signal: stop.signal })) {
    if (event.type !== 'bookmark') {
      stop.abort();
      throw conflict('store', 'from', 'it was written to while it was copied; stop every server that uses it first');
    }
    if (event.revision >= now) stop.abort();
  }
}
