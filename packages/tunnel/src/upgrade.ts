/**
 * The accepting side's websocket handshake. Surprise: pings are answered by the session, not by ws, whose automatic
 * answers would pile up for a far end that pings without reading.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest } from '@drover/base';
import { type WebSocket, WebSocketServer } from 'ws';

/** Sent by both ends when they are ours: several sockets an agent, longer addresses, full-state peer news. */
export const oursHeader = 'x-drover-tunnel';

/** remotedialer's messages are about 32 KiB; what is far larger is not a tunnel's. */
export const maxMessageBytes = 4 * 1024 * 1024;

const upgrader = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  skipUTF8Validation: true,
  clientTracking: false,
  autoPong: false,
  maxPayload: maxMessageBytes,
});
upgrader.on('headers', (headers, request) => {
  if (isOurs(request)) headers.push('X-Drover-Tunnel: 1');
});

export function isOurs(message: IncomingMessage): boolean {
  return message.headers[oursHeader] === '1';
}

/** Completes the upgrade; BadRequest (answered already) when the request is not a websocket's. */
export function acceptWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(badRequest('not a websocket upgrade, or closed before it was done'));
    socket.once('close', onClose);
    upgrader.handleUpgrade(request, socket, head, websocket => {
      socket.off('close', onClose);
      // Messages may have come with the handshake; the session lets them flow once it listens.
      websocket.pause();
      resolve(websocket);
    });
  });
}
