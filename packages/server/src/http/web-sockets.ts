/**
 * WebSockets that clients open here. Without compression: its windows would cost more memory than all else that is kept about a
 * client. Whoever went without a word is found out by his silence.
 */
import type { IncomingMessage } from 'node:http';
import { badRequest } from '@drover/base';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';

/** `maxPayload` bounds, in bytes, what one message may have. */
export const webSockets = (options: Pick<ServerOptions, 'maxPayload' | 'handleProtocols'>): WebSocketServer =>
  new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, ...options });

/** Throws BadRequest with that text for an upgrade to anything else. */
export function requireWebSocket(request: IncomingMessage, text: string): void {
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') throw badRequest(text);
}

/** Asks every `everyMs` whether somebody is still there, and ends the connection of who has not answered by the next time. */
export function endWhenSilent(socket: WebSocket, everyMs: number, onAsked?: () => void): void {
  let isHeard = true;
  socket.on('pong', () => {
    isHeard = true;
  });
  const timer = setInterval(() => {
    if (!isHeard) {
      socket.terminate();
      return;
    }
    isHeard = false;
    socket.ping();
    onAsked?.();
  }, everyMs).unref();
  socket.once('close', () => clearInterval(timer));
}
