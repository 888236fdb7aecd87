/**
 * Noise for a session, either end of it: frames that are right, broken in small ways. It reads them or ends; whatever else it
 * throws goes to whoever called.
 */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import { silentLog } from '@drover/base';
import type { WebSocket } from 'ws';
import { encodeMessage, encodeSync, messageType } from './message.ts';
import { defaultLimits, Session } from './session.ts';

/** What the noise is made by. */
interface Source {
  below(below: number): number;
  pick<T>(list: readonly T[]): T;
  mutateBytes(bytes: Buffer): Buffer;
}

export function sessionNoise(noise: Source, runs: number): void {
  const payloads = [
    Buffer.from('tcp/10.0.0.1:443'),
    Buffer.from('\x00\x00\x00'),
    Buffer.from('EOF'),
    encodeSync([1, 2, 3, 70_000]),
    Buffer.from('c-one/1'),
    Buffer.from('[["c-one","1"]]'),
    Buffer.alloc(300, 7),
    Buffer.alloc(0),
  ];
  let session: Session | undefined;
  let websocket = new EventEmitter();
  let opened = 0;
  for (let run = 0; run < runs; run++) {
    if (!session?.live) {
      websocket = Object.assign(new EventEmitter(), { resume() {}, close() {}, terminate() {} });
      const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
      const server = noise.below(2) === 0;
      session = new Session({
        socket,
        websocket: websocket as WebSocket,
        name: 'noise',
        foreign: noise.below(2) === 0,
        mask: 'none',
        heartbeat: { pingEveryMs: 2000, silentAfterMs: 5000 },
        limits: { ...defaultLimits, maxStreams: 50 },
        log: silentLog,
        ...(server
          ? {}
          : {
              onConnect: stream => {
                opened++;
                stream.on('error', () => undefined);
                if (noise.below(2) === 0) stream.resume();
              },
            }),
      });
      if (server)
        for (let i = 0; i < 3; i++) session.open({ proto: 'tcp', address: 'a:1' }).on('error', () => undefined);
    }
    const right = encodeMessage({
      type: noise.pick(Object.values(messageType)),
      connectionId: noise.pick([0, 1, 2, 3, 4, 5, 99, 2 ** 40]),
      payload: noise.pick(payloads),
    });
    const frame = noise.below(4) === 0 ? right : noise.mutateBytes(right);
    websocket.emit('message', frame, noise.below(50) > 0);
    assert.ok(session.streamCount <= 50);
    if (noise.below(500) === 0) session.close('another one');
  }
  session?.close('over');
  assert.ok(opened > 0, 'some frames were right');
}
