/**
 * WebSocket upgrades for exec, attach and port-forward (KEP-4006): a byte channel number leads each message, and
 * v5.channel.k8s.io adds a message that closes one channel.
 */
import { parseStatus, unavailable } from '@drover/base';
import type { WebSocket } from 'ws';
import { authorization, impersonationHeaders } from './headers.ts';
import { networkError } from './network-error.ts';
import { type Query, readText, type Transport } from './transport.ts';

export interface UpgradeOptions {
  readonly query?: Query;
  readonly protocols?: readonly string[];
  readonly signal?: AbortSignal;
}

const maxMessageBytes = 16 << 20;

/**
 * Opens the WebSocket; rejects with the server's own refusal. The signal also ends it once it is open. Whoever listens at once hears all of
 * its messages.
 */
export async function openWebSocket(transport: Transport, path: string, options: UpgradeOptions): Promise<WebSocket> {
  const { protocols = ['v5.channel.k8s.io'], signal, query } = options;
  const { WebSocket } = await import('ws');
  const { connection } = transport;
  const auth = await authorization(connection);
  const stream = await transport.dial(signal);
  const socket = new WebSocket(`ws://${transport.dialer.url.host}${transport.pathOf(path, query)}`, [...protocols], {
    headers: {
      ...(auth ? { authorization: auth.header } : {}),
      ...(connection.impersonate ? impersonationHeaders(connection.impersonate) : {}),
    },
    // The stream is connected and secured already, whatever the URL's scheme says.
    createConnection: () => stream as never,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handshakeTimeout: 30_000,
  });
  socket.binaryType = 'nodebuffer';
  const onAbort = () => socket.terminate();
  signal?.addEventListener('abort', onAbort, { once: true });
  socket.once('close', () => signal?.removeEventListener('abort', onAbort));
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      // What came with the answer would be told before whoever waits for this has begun to listen.
      socket.pause();
      setImmediate(() => socket.resume());
      resolve(socket);
    });
    socket.once('unexpected-response', (request, response) => {
      const status = response.statusCode ?? 500;
      readText(response, 1 << 20).then(
        body => reject(status < 400 ? unavailable(`the server did not upgrade: ${status}`) : parseStatus(status, body)),
        reject,
      );
      response.once('close', () => request.destroy());
    });
    // Stays after the opening too: an error event is always followed by close, which is what callers wait for.
    socket.on('error', error => {
      stream.destroy();
      reject(signal?.aborted ? signal.reason : networkError(transport.dialer.url.host, error));
    });
  });
}
