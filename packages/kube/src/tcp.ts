/**
 * Plain TCP, and waiting for a stream to be set up: whatever is given up half-way is destroyed, never left open.
 */
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Address } from '@drover/base';

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
