/** How much the sending side lets be under way: what a far end that asks for a pause still has to take. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { until } from '@drover/base';
import { FrameWriter, type Outlet } from './frame-writer.ts';

const KiB = 1024;
const windowBytes = 512 * KiB;

/** A connection that takes whatever it is given at once, as one with vast buffers would. */
function vast(): { socket: Duplex; taken: () => number; pings: () => number } {
  let taken = 0;
  let pings = 0;
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      taken += chunk.length;
      done();
    },
  });
  const countPings = socket.write.bind(socket);
  socket.write = ((chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      const size = chunk[at + 1]!;
      if (chunk[at] === 0x89) pings++;
      at += size < 126 ? 2 + size : size === 126 ? 4 + chunk.readUInt16BE(at + 2) : 10 + chunk.readUInt32BE(at + 6);
    }
    return countPings(chunk);
  }) as typeof socket.write;
  return { socket, taken: () => taken, pings: () => pings };
}

const endless = (): Outlet => ({
  id: 1,
  pending: 1,
  nextBytes: maxBytes => [Buffer.alloc(maxBytes)],
  drained() {},
});

/** What has been taken once nothing more comes: more than `least`, however long a busy machine lets it wait. */
const settled = async (taken: () => number, least = 0) => {
  let before = -1;
  await until('nothing more to come', () => before === (before = taken()) && before > least, { everyMs: 20 });
  return before;
};

test('stream data waits once the window is full, and goes on when the ping in it is answered', async () => {
  const { socket, taken, pings } = vast();
  const writer = new FrameWriter(socket, { mask: 'none', onFlood: () => assert.fail(), windowBytes });
  writer.join(endless());
  const first = await settled(taken);
  assert.ok(first >= windowBytes && first < windowBytes + 128 * KiB, `${first} bytes`);
  assert.equal(pings(), 1);
  writer.ponged();
  const second = await settled(taken, first);
  assert.ok(second > first && second < 2 * windowBytes, `${second} bytes`);
  assert.equal(pings(), 2);
  writer.close();
});

test('control messages do not wait for the window', async () => {
  const { socket, taken } = vast();
  const writer = new FrameWriter(socket, { mask: 'none', onFlood: () => assert.fail(), windowBytes });
  writer.join(endless());
  const full = await settled(taken);
  writer.control(6, 1);
  assert.ok((await settled(taken, full)) > full);
  writer.close();
});

test('an answer that nobody asked for opens no window', async () => {
  const { socket, taken } = vast();
  const writer = new FrameWriter(socket, { mask: 'none', onFlood: () => assert.fail(), windowBytes });
  for (let i = 0; i < 100; i++) writer.ponged();
  writer.join(endless());
  assert.ok((await settled(taken)) < windowBytes + 128 * KiB);
  writer.close();
});

test('no batch is written over before the socket is done with it', async () => {
  let checked = 0;
  const socket = new Duplex({
    read() {},
    writableHighWaterMark: 1 << 20,
    write(chunk: Buffer, _encoding, done) {
      const asWritten = Buffer.from(chunk);
      setTimeout(() => {
        assert.ok(asWritten.equals(chunk), `batch ${checked} changed`);
        checked++;
        done();
      }, 1);
    },
  });
  const writer = new FrameWriter(socket, { mask: 'none', onFlood: () => assert.fail(), windowBytes: 1 << 30 });
  let fill = 0;
  writer.join({ ...endless(), nextBytes: maxBytes => [Buffer.alloc(maxBytes, fill++)] });
  await until('many batches', () => checked > 60);
  writer.close();
});

for (const mask of ['none', 'zero'] as const)
  test(`frames of bulk data, masked by ${mask}, fill TLS records and lie in one each`, async () => {
    const record = 16 * KiB;
    let batches = 0;
    const socket = new Duplex({
      read() {},
      write(batch: Buffer, _encoding, done) {
        batches++;
        for (let at = 0; at < batch.length; ) {
          const size = batch[at + 1]! & 0x7f;
          const end = at + (size < 126 ? 2 + size : 4 + batch.readUInt16BE(at + 2)) + (mask === 'none' ? 0 : 4);
          assert.equal(Math.floor(at / record), Math.floor((end - 1) / record), `${at} to ${end} of ${batch.length}`);
          at = end;
        }
        assert.equal(batch.length, 4 * record);
        setImmediate(done);
      },
    });
    const writer = new FrameWriter(socket, { mask, onFlood: () => assert.fail(), windowBytes: 1 << 30 });
    writer.join(endless());
    writer.join({ ...endless(), id: 1_000_000, nextBytes: maxBytes => [Buffer.alloc(Math.min(maxBytes, 3000))] });
    await until('many batches', () => {
      writer.control(6, 1, Buffer.from('before'));
      return batches > 60;
    });
    writer.close();
  });
