/** The wire: vectors of each message type, round trips, and a million frames of noise. */
import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { test } from 'node:test';
import { StatusError } from '@drover/base';
import fc from 'fast-check';
import vectors from '../../../test/vectors/tunnel.json' with { type: 'json' };
import captured from '../../../test/vectors/tunnel-captured.json' with { type: 'json' };
import { applyMask } from './mask.ts';
import { decodeMessage, decodeSync, encodeMessage, encodeSync, varintSize, writeVarint } from './message.ts';

const hex = (text: string) => Buffer.from(text, 'hex');

test('varints are zig-zag, seven bits a byte, as Go writes them', () => {
  for (const [value, bytes] of vectors.varints as [number, string][]) {
    const target = Buffer.alloc(10);
    const size = writeVarint(target, 0, value);
    assert.deepEqual([target.subarray(0, size).toString('hex'), size], [bytes, varintSize(value)]);
  }
});

for (const vector of vectors.messages) {
  test(`${vector.name} is read and written byte for byte`, () => {
    const decoded = decodeMessage(hex(vector.hex));
    assert.deepEqual([decoded.connectionId, decoded.type], [vector.connectionId, vector.type]);
    const payload = vector.ids ? encodeSync(vector.ids) : Buffer.from(vector.text!);
    assert.deepEqual(decoded.payload, payload);
    if (vector.ids) assert.deepEqual(decodeSync(decoded.payload), vector.ids);
    if (vector.messageId === undefined) return;
    const { messageId, connectionId, type } = vector;
    assert.equal(encodeMessage({ messageId, connectionId, type, payload }).toString('hex'), vector.hex);
  });
}

test('masking is the websocket’s: the masked vector unmasks to its message', () => {
  const frame = hex(vectors.frames[1]!.hex);
  applyMask(frame, { keyAt: 2, start: 6, end: frame.length });
  assert.equal(frame.subarray(6).toString('hex'), vectors.frames[1]!.payload);
});

test('what the Go remotedialer really sent reads as what it meant', () => {
  for (const { type, connectionId, hex: bytes, text } of captured.messages) {
    const decoded = decodeMessage(hex(bytes));
    assert.deepEqual([decoded.type, decoded.connectionId], [type, connectionId]);
    if (text !== undefined) assert.equal(decoded.payload.toString(), text);
  }
  assert.deepEqual(
    [...new Set(captured.messages.map(({ type }) => type))].sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
});

test('any message survives the way there and back', () => {
  fc.assert(
    fc.property(
      fc.record({
        messageId: fc.integer({ min: -(2 ** 40), max: 2 ** 51 }),
        connectionId: fc.integer({ min: -(2 ** 40), max: 2 ** 51 }),
        type: fc.integer({ min: 1, max: 30 }),
        payload: fc.uint8Array({ maxLength: 300 }),
      }),
      message => {
        const decoded = decodeMessage(encodeMessage(message));
        assert.deepEqual(
          { ...decoded, payload: [...decoded.payload] },
          { connectionId: message.connectionId, type: message.type, payload: [...message.payload] },
        );
      },
    ),
  );
});

test('any list of ids survives the way there and back, in ascending order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), ids => {
      assert.deepEqual(
        decodeSync(encodeSync(ids)),
        [...ids].sort((a, b) => a - b),
      );
    }),
  );
});

test('a million frames of noise are read or refused with BadRequest, nothing else', () => {
  const noise = randomFillSync(Buffer.alloc(1 << 20));
  let refused = 0;
  for (let count = 0; count < 1_000_000; count++) {
    const at = (count * 7919) % (noise.length - 40);
    try {
      decodeMessage(noise.subarray(at, at + (count % 40)));
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason !== 'BadRequest') throw error;
      refused++;
    }
  }
  assert.ok(refused > 1000 && refused < 999_000, `${refused} refused`);
});
