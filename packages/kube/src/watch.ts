/**
 * One watch call: events as they come until the server ends it. Going on after the end, and listing anew when the
 * revision is gone, is the watch cache's work.
 */
import { messageOf, parseStatus, type Resource, unavailable } from '@drover/base';
import { readJsonLines } from './json-lines.ts';
import type { ResourceRef } from './resource-ref.ts';
import { resourcePath } from './resource-ref.ts';
import type { Transport } from './transport.ts';

export interface WatchEvent<T extends Resource = Resource> {
  /** A BOOKMARK's object carries nothing but a resourceVersion (and its annotations). */
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly allowWatchBookmarks?: boolean;
  /** Streams the present objects as ADDED first, closed by a bookmark annotated k8s.io/initial-events-end. */
  readonly sendInitialEvents?: boolean;
  /** How long the server should keep it open; absent: as long as it likes (30 to 60 minutes). */
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal;
}

/** Watches a collection. Throws Expired when the revision is gone, ServiceUnavailable when the stream is cut. */
export async function* watchResources<T extends Resource>(
  transport: Pick<Transport, 'send'>,
  ref: ResourceRef,
  options: WatchOptions = {},
): AsyncGenerator<WatchEvent<T>> {
  const { namespace, signal, sendInitialEvents, ...query } = options;
  const { body } = await transport.send('GET', resourcePath(ref, { namespace }), {
    query: {
      ...query,
      watch: true,
      ...(sendInitialEvents
        ? { sendInitialEvents, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true }
        : {}),
    },
    signal,
  });
  try {
    for await (const event of readJsonLines<WatchEvent<T> | { type: 'ERROR'; object: { code?: number } }>(body)) {
      if (event.type === 'ERROR') throw parseStatus(event.object.code ?? 500, JSON.stringify(event.object));
      yield event;
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof Error && error.name !== 'StatusError') {
      throw unavailable(`the watch of ${ref.resource} was cut: ${messageOf(error)}`, { cause: error });
    }
    throw error;
  } finally {
    body.on('error', () => {}).destroy();
  }
}
