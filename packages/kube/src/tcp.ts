/**
 * Plain TCP, and waiting for a stream to be set up: whatever is given up half-way is destroyed, never left open.
 */
import { connect, type Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { type Address, unavailable } from '@drover/base';

export function dialTcp({ host, port }: Address, signal: AbortSignal): Promise<Socket> {
  return connected(connect({ host, port }), 'connect', signal);
}

/** Resolves with the stream after `event`; destroys it when it fails or the signal aborts first. */
export function connected<S extends Duplex>(stream: S, event: string, signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (error: unknown) => {
      signal.removeEventListener('abort', onAbort);
      stream.off('error', settle).off(event, onEvent).off('close', onClose);
      if (error === undefined) return resolve(stream);
      // A late error of a stream that was given up would otherwise be thrown at the process.
      stream.on('error', () => {}).destroy();
      reject(error);
    };
    const onEvent = () => settle(undefined);
    const onClose = () => settle(new Error('the connection was closed before it was set up'));
    const onAbort = () => settle(signal.reason);
    stream.on('error', settle).on(event, onEvent).on('close', onClose);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Takes exactly `length` bytes and leaves the rest in the stream, since they belong to what is spoken next. */
export async function readExactly(stream: Readable, length: number): Promise<Buffer> {
  let got = Buffer.alloc(0);
  while (got.length < length) {
    // All there is: a rest left in the stream would be announced again at once, and the socket never be read.
    const chunk = stream.read() as Buffer | null;
    if (chunk) got = Buffer.concat([got, chunk]);
    else if (stream.readableEnded || stream.destroyed) throw unavailable('the connection was closed meanwhile');
    else await somethingHappens(stream);
  }
  if (got.length > length) stream.unshift(got.subarray(length));
  return got.subarray(0, length);
}

function somethingHappens(stream: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    const events = ['readable', 'end', 'close'];
    const settle = (error?: Error) => {
      for (const event of events) stream.off(event, settle);
      stream.off('error', settle);
      if (error instanceof Error) reject(error);
      else resolve();
    };
    for (const event of events) stream.on(event, settle);
    stream.on('error', settle);
  });
}
