/** WebSockets of subscribers: a user holds so many at once and no more, and what is sent goes out as fast as he reads. */
import type { Duplex } from 'node:stream';
import { Tally, tooManyRequests } from '@drover/base';
import type { WebSocket } from 'ws';
import type { Caller, Upgrade } from '../http/exchange.ts';
import { requireWebSocket, webSockets } from '../http/web-sockets.ts';
import type { Sink } from './subscriber.ts';

const perUser = 64;
/** How long a client that is dropped has to take note of it. */
const goodbyeMs = 2000;
const sockets = webSockets({ maxPayload: 64 * 1024 });

/** Gives what takes upgrades: throws BadRequest for what is none, TooManyRequests for one too many. */
export function acceptSockets(): (upgrade: Upgrade, caller: Caller, serve: (socket: WebSocket) => void) => void {
  const open = new Tally<string>();
  return (upgrade, { userId }, serve) => {
    requireWebSocket(upgrade.request, 'this is where clients subscribe: it takes WebSocket upgrades only');
    if (open.of(userId) >= perUser) throw tooManyRequests(`you have ${perUser} subscriptions open`, 5);
    open.add(userId);
    upgrade.socket.once('close', () => open.remove(userId));
    sockets.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, serve);
  };
}

/** `raw` is what the WebSocket runs over: it knows whether the client keeps up. */
export function sinkOf(socket: WebSocket, raw: Duplex, onClose: (why: { code: number; reason: string }) => void): Sink {
  return {
    isReady: () => socket.readyState === socket.OPEN && !raw.writableNeedDrain,
    send: text => socket.send(text, { binary: false }),
    // Between frames of the WebSocket's own: without compression each goes out at once and whole.
    write: frame => void raw.write(frame),
    probe: () => socket.ping(),
    close(code, reason) {
      if (socket.readyState !== socket.OPEN) return;
      onClose({ code, reason });
      socket.close(code, reason);
      setTimeout(() => socket.terminate(), goodbyeMs).unref();
    },
  };
}
