/**
 * Short streams by the thousand with the real Go remotedialer at the other end: none may be closed wrongly, while lists
 * of live streams race with new ones. Ten seconds, or a minute with DROVER_SOAK=1.
 */
import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { sleep, until } from '@drover/base';
import { addressOf } from '@drover/tunnel';
import { listenTunnel } from './tunnel-listener.ts';
import { noGo, peerBinary, startPeer } from './tunnel-peer.ts';

const seconds = process.env['DROVER_SOAK'] ? 62 : 10;

async function shortStream(stream: Duplex): Promise<void> {
  stream.write('rr 64\nask\n');
  let got = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    got += chunk.length;
    if (got >= 64) break;
  }
  assert.equal(got, 64);
}

test(`2,000 short streams a second for ${seconds} s through their client, none closed wrongly`, async t => {
  if (!(await peerBinary())) return t.skip(noGo);
  await using server = await listenTunnel();
  await using backend = await startPeer('-mode', 'backend');
  await using _client = await startPeer('-mode', 'client', '-url', `ws://${server.host}/connect`);
  await server.tunnel.waitFor('c-one', { timeoutMs: 5000 });
  const dial = server.tunnel.dialer('c-one');
  const address = addressOf({ proto: 'tcp', address: backend.address });
  const start = performance.now();
  const wrong: unknown[] = [];
  let done = 0;
  let opened = 0;
  let inFlight = 0;
  while (performance.now() - start < seconds * 1000) {
    const due = ((performance.now() - start) / 1000) * 2000;
    for (; opened < due && inFlight < 500; opened++) {
      inFlight++;
      void dial(address)
        .then(shortStream)
        .then(
          () => done++,
          error => wrong.push(error),
        )
        .finally(() => inFlight--);
    }
    await sleep(5);
  }
  await until('the last streams to end', () => inFlight === 0);
  assert.deepEqual(wrong.slice(0, 3), []);
  t.diagnostic(`${done} streams, ${Math.round(done / seconds)} a second`);
  assert.ok(done > seconds * 1000, `only ${done} streams were done in ${seconds} s`);
  await until('no stream to be left', () => server.tunnel.sessions()[0]!.streams === 0);
});
