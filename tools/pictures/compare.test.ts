/** Pictures are written and read again, and told apart by what one sees of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { compare } from './compare.ts';
import { decodePng, encodePng, type Picture } from './png.ts';

const size = 40;

function picture(colourAt: (x: number, y: number) => readonly [number, number, number]): Picture {
  const rgb = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) rgb.set(colourAt(x, y), (y * size + x) * 3);
  return { width: size, height: size, rgb };
}

const stripes = picture((x, y) => (x % 8 < 2 ? [20, 20, 20] : y % 2 === 0 ? [246, 247, 249] : [255, 255, 255]));

test('a picture of few colours comes back as it was', () => {
  assert.deepEqual(decodePng(encodePng(stripes)), stripes);
});

test('of too many colours the commonest stay, and the others become their nearest', () => {
  const many = picture((x, y) => (y > 4 ? [200, 10, 10] : [200, 10, x]));
  const { rgb } = decodePng(encodePng(many, 1));
  assert.deepEqual(new Set(rgb), new Set([200, 10]));
});

test('lines that are written as differences to their neighbours are read', () => {
  const lines: number[] = [];
  for (let y = 0; y < size; y++) {
    const filter = y % 5;
    lines.push(filter);
    const at = (x: number, line: number, channel: number): number =>
      x < 0 || line < 0 ? 0 : stripes.rgb[(line * size + x) * 3 + channel]!;
    for (let x = 0; x < size; x++)
      for (let channel = 0; channel < 3; channel++) {
        const [left, up, both] = [at(x - 1, y, channel), at(x, y - 1, channel), at(x - 1, y - 1, channel)];
        const guess = left + up - both;
        const nearest = [left, up, both].reduce((best, one) =>
          Math.abs(guess - one) < Math.abs(guess - best) ? one : best,
        );
        const base = [0, left, up, (left + up) >> 1, nearest][filter]!;
        lines.push((at(x, y, channel) - base) & 255);
      }
  }
  const whole = encodePng(stripes);
  const head = Buffer.from(whole.subarray(0, 33));
  head[25] = 2;
  const packed = deflateSync(Buffer.from(lines));
  const body = Buffer.alloc(12 + packed.length);
  body.writeUInt32BE(packed.length, 0);
  body.write('IDAT', 4);
  packed.copy(body, 8);
  assert.deepEqual(decodePng(Buffer.concat([head, body])), stripes);
});

test('another smoothing of edges is the same picture; a mark, a shift of a line and another size are not', () => {
  const smoother = picture((x, y) =>
    x % 8 === 1 ? [40, 40, 40] : x % 8 < 2 ? [10, 10, 10] : [250, y % 3 ? 250 : 246, 250],
  );
  assert.equal(compare(stripes, smoother).cells, 0);
  const marked = { ...stripes, rgb: stripes.rgb.map((value, at) => (at >= 3000 && at < 3024 ? 0 : value)) };
  assert.ok(compare(stripes, marked).cells > 0);
  const moved = picture((x, y) => ((x + 1) % 8 < 2 ? [20, 20, 20] : y % 2 === 0 ? [246, 247, 249] : [255, 255, 255]));
  assert.ok(compare(stripes, moved).cells > 10);
  assert.equal(compare({ ...stripes, height: size / 2 }, stripes).cells, 100);
});
