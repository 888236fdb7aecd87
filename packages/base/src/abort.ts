/**
 * Waiting that can be given up: every long-lived thing takes an AbortSignal, and these are the ways to wait on one.
 */
import { timedOut } from './errors.ts';

/** Resolves after `ms`; rejects with the signal's reason when it aborts first. The timer alone never keeps a process up. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Resolves when the signal aborts; never rejects. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** A signal that aborts with any of the given ones; absent ones are passed over. */
export function anySignal(...signals: (AbortSignal | undefined)[]): AbortSignal {
  const present = signals.filter(signal => signal !== undefined);
  return present.length === 1 ? present[0]! : AbortSignal.any(present);
}

/** Settles as the promise does, or rejects with the signal's reason; what the promise was doing is not undone. */
export function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    // Even where it comes too late: a rejection that nobody takes would end the process.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/**
 * Polls `probe` until it gives something truthy and returns that; throws Timeout naming `what` after `timeoutMs`.
 * An error thrown by the probe counts as "not yet" and becomes the cause; so does a look that takes longer than `lookMs`, at least a
 * minute and as long as all may take unless told: nobody waits for ever for an answer that does not come.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: { timeoutMs?: number; everyMs?: number; lookMs?: number; signal?: AbortSignal } = {},
): Promise<NonNullable<T>> {
  const { timeoutMs = 10_000, everyMs = 25, signal } = options;
  const { lookMs = Math.max(timeoutMs, 60_000) } = options;
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await inTime(probe, lookMs);
      if (value) return value as NonNullable<T>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) throw timedOut(`waited ${timeoutMs} ms for ${what}`, last);
    await sleep(everyMs, signal);
  }
}

/** What the probe gives; throws Timeout where it gives nothing in time. */
async function inTime<T>(probe: () => T | Promise<T>, ms: number): Promise<T> {
  const value = probe();
  if (!(value instanceof Promise)) return value;
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(timedOut(`no answer within ${ms} ms`)), ms);
  try {
    return await withSignal(value, over.signal);
  } finally {
    clearTimeout(timer);
  }
}
