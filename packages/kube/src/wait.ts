/**
 * Waiting for one object to become what is wanted, by watching it rather than asking again and again.
 */
import { type Condition, hasReason, isTrue, type Resource, StatusError, sleep, timedOut } from '@drover/base';
import type { KubeClient } from './client.ts';
import type { ResourceRef } from './resource-ref.ts';

export interface WaitOptions {
  readonly namespace?: string;
  /** 60 s unless told. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Resolves with the object (undefined: there is none) as soon as `wanted` takes it. Throws Timeout naming `what`; cuts
 * on the way are healed, a refusal (401, 403, 404 of the collection) is thrown.
 */
export async function waitForObject<T extends Resource>(
  client: KubeClient,
  target: { readonly ref: ResourceRef; readonly name: string; readonly what: string },
  options: WaitOptions & { readonly wanted: (object: T | undefined) => boolean },
): Promise<T | undefined> {
  const { ref, name, what } = target;
  const { namespace, timeoutMs = 60_000, wanted } = options;
  const late = AbortSignal.timeout(timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, late]) : late;
  const selector = { namespace, fieldSelector: `metadata.name=${name}`, signal };
  try {
    for (;;) {
      try {
        const { items, resourceVersion } = await client.list<T>(ref, selector);
        if (wanted(items[0])) return items[0];
        for await (const { type, object } of client.watch<T>(ref, { ...selector, resourceVersion })) {
          const now = type === 'DELETED' ? undefined : object;
          if (type !== 'BOOKMARK' && wanted(now)) return now;
        }
      } catch (error) {
        const healing = hasReason(error, 'ServiceUnavailable', 'Timeout', 'Expired', 'Gone', 'InternalError');
        if (!healing || signal.aborted) throw error;
      }
      await sleep(250, signal);
    }
  } catch (error) {
    if (late.aborted && !options.signal?.aborted) throw timedOut(`waited ${timeoutMs / 1000} s for ${what}`);
    throw error;
  }
}

/** Resolves with the object once its condition of that type is True. Throws Timeout with what the condition says instead. */
export async function waitForCondition<T extends Resource>(
  client: KubeClient,
  target: { readonly ref: ResourceRef; readonly name: string; readonly condition: string },
  options: WaitOptions = {},
): Promise<T> {
  const { ref, name, condition } = target;
  let last: readonly Condition[] | undefined;
  try {
    const found = await waitForObject<T>(
      client,
      { ref, name, what: `${ref.kind ?? ref.resource} ${name} to be ${condition}` },
      {
        ...options,
        wanted: object => {
          last = (object?.status as { conditions?: readonly Condition[] } | undefined)?.conditions;
          return isTrue(last, condition);
        },
      },
    );
    return found!;
  } catch (error) {
    const said = last?.find(one => one.type === condition)?.message;
    if (said && error instanceof StatusError) throw timedOut(`${error.message}; it says: ${said}`);
    throw error;
  }
}
