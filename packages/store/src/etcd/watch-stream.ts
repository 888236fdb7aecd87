/**
 * One watch on the whole prefix of the store, as batches: it goes on after a broken connection from the last revision it gave, so
 * that nothing is lost or doubled. etcd gives the events of a revision together, but may cut a large answer into fragments; they are put
 * together again here.
 */

import { backoffMs, expired, sleep } from '@drover/base';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Revision, StoreEvent } from '../store.ts';
import type { Batch } from '../watch-hub.ts';
import { endedBySignIn, etcdError, isAway, isServiceError, needsSignIn, tokenRefused } from './errors.ts';
import { entryOf, type WatchResponse } from './messages.ts';
import type { EtcdRpc } from './rpc.ts';

export interface WatchRange {
  readonly start: Buffer;
  readonly end: Buffer;
  /** Bytes of the store's prefix in every key. */
  readonly skip: number;
}

const maxRefusals = 5;

/** Every batch after the revision, until the signal aborts. Throws Expired when etcd no longer keeps them all. */
export async function* watchStream(
  rpc: EtcdRpc,
  range: WatchRange,
  options: { after: Revision; signal: AbortSignal },
): AsyncGenerator<Batch, void, undefined> {
  const { signal } = options;
  let seen = options.after;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    let stream: ClientDuplexStream<object, unknown> | undefined;
    const stop = () => stream?.cancel();
    try {
      stream = await rpc.stream('Watch', 'Watch');
      signal.addEventListener('abort', stop, { once: true });
      stream.write({
        create_request: {
          key: range.start,
          range_end: range.end,
          start_revision: seen + 1,
          prev_kv: true,
          fragment: true,
        },
      });
      let parts: WatchResponse['events'] = [];
      for await (const message of stream) {
        const response = message as WatchResponse;
        if (response.canceled) throw canceled(response, attempt);
        attempt = 0;
        parts = parts.length > 0 ? [...parts, ...response.events] : response.events;
        if (response.fragment) continue;
        const batches = batchesOf(parts, range.skip);
        parts = [];
        for (const batch of batches) {
          if (batch.revision <= seen) continue;
          yield batch;
          seen = batch.revision;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isServiceError(error) || !(isAway(error) || needsSignIn(error))) throw etcdError(error);
      rpc.away(error);
    } finally {
      signal.removeEventListener('abort', stop);
      stream?.on('error', () => undefined);
      stream?.cancel();
    }
    await sleep(backoffMs(attempt, { minMs: 20, maxMs: 2000 }), signal).catch(() => undefined);
  }
}

function canceled(response: WatchResponse, attempt: number): Error {
  const reason = response.cancel_reason ?? '';
  // 3.4 calls a token that it does not know "permission denied"; a right that is missing stays so.
  const perhaps = /permission denied/.test(reason) && attempt < maxRefusals;
  if (perhaps || endedBySignIn(reason)) return tokenRefused(reason);
  if (Number(response.compact_revision) > 0)
    return expired(`etcd has compacted up to revision ${response.compact_revision}; list again`);
  return expired(`etcd ended the watch: ${reason || 'no reason given'}; list again`);
}

function batchesOf(events: WatchResponse['events'], skip: number): Batch[] {
  const batches: { revision: Revision; events: StoreEvent[] }[] = [];
  for (const { type, kv, prev_kv } of events) {
    const revision = Number(kv.mod_revision);
    const last = batches.at(-1);
    const event = eventOf(type, { kv, before: prev_kv, skip });
    if (last?.revision === revision) last.events.push(event);
    else batches.push({ revision, events: [event] });
  }
  return batches;
}

type Raw = {
  kv: WatchResponse['events'][number]['kv'];
  before: WatchResponse['events'][number]['prev_kv'];
  skip: number;
};

function eventOf(type: 'PUT' | 'DELETE', { kv, before, skip }: Raw): StoreEvent {
  const revision = Number(kv.mod_revision);
  const previous = before?.key.length ? entryOf(before, skip) : undefined;
  const created = type === 'PUT' && kv.create_revision === kv.mod_revision;
  // etcd leaves out what was compacted before it could be read: the event is then no longer whole.
  if (!previous && !created) throw expired(`etcd has compacted what revision ${revision} replaced; list again`);
  if (type === 'DELETE') return { type: 'delete', key: kv.key.toString('utf8', skip), previous: previous!, revision };
  const entry = entryOf(kv, skip);
  return previous ? { type: 'put', entry, previous, revision } : { type: 'put', entry, revision };
}
