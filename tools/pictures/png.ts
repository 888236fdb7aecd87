/**
 * Pictures as PNG: reads what a browser writes (8 bits a channel, not interlaced), and writes pictures of few colours small, so that a
 * few hundred of a screen can be kept beside the tests. What the format knows beyond that is refused.
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { invalid } from '@drover/base';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, line by line. */
  readonly rgb: Uint8Array;
}

const signature = Buffer.from('89504e470d0a1a0a', 'hex');
/** Channels of a pixel by the format's number for its kind: colours, indices of a palette, colours with transparency. */
const channelsOf: Readonly<Record<number, number>> = { 2: 3, 3: 1, 6: 4 };

/** The picture in a PNG; what is transparent counts as not being so. */
export function decodePng(bytes: Buffer): Picture {
  if (!bytes.subarray(0, 8).equals(signature)) throw invalid('png', 'is no PNG');
  let head: Buffer | undefined;
  let palette: Buffer = Buffer.alloc(0);
  const packed: Buffer[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') head = data;
    else if (type === 'PLTE') palette = data;
    else if (type === 'IDAT') packed.push(data);
    at += length + 12;
  }
  if (!head) throw invalid('png', 'has no header');
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const channels = channelsOf[head[9]!];
  if (head[8] !== 8 || !channels || head[12] !== 0) throw invalid('png', 'is of a kind that no browser writes');
  const lines = unfilter(inflateSync(Buffer.concat(packed)), { lineBytes: width * channels, height, channels });
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++)
    for (let channel = 0; channel < 3; channel++)
      rgb[pixel * 3 + channel] =
        channels === 1 ? palette[lines[pixel]! * 3 + channel]! : lines[pixel * channels + channel]!;
  return { width, height, rgb };
}

/** Takes back what each line was written as the difference to: its left, the line above, both, or the one that is nearest to them. */
function unfilter(
  raw: Uint8Array,
  { lineBytes, height, channels }: { readonly lineBytes: number; readonly height: number; readonly channels: number },
): Uint8Array {
  const out = new Uint8Array(lineBytes * height);
  for (let line = 0; line < height; line++) {
    const filter = raw[line * (lineBytes + 1)]!;
    for (let i = 0; i < lineBytes; i++) {
      const at = line * lineBytes + i;
      const left = i >= channels ? out[at - channels]! : 0;
      const up = line > 0 ? out[at - lineBytes]! : 0;
      const upLeft = i >= channels && line > 0 ? out[at - lineBytes - channels]! : 0;
      out[at] = raw[line * (lineBytes + 1) + 1 + i]! + guessOf(filter, left, up, upLeft);
    }
  }
  return out;
}

function guessOf(filter: number, left: number, up: number, upLeft: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const guess = left + up - upLeft;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - upLeft)];
  return a <= b && a <= c ? left : b <= c ? up : upLeft;
}

/** A PNG of at most `colours` colours: the commonest and the most unlike stay, every other becomes the nearest of them. */
export function encodePng({ width, height, rgb }: Picture, colours = 64): Buffer {
  const pixels = new Uint32Array(width * height);
  const counts = new Map<number, number>();
  for (let pixel = 0; pixel < pixels.length; pixel++) {
    const colour = (rgb[pixel * 3]! << 16) | (rgb[pixel * 3 + 1]! << 8) | rgb[pixel * 3 + 2]!;
    pixels[pixel] = colour;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const common = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([colour]) => colour);
  const palette = paletteOf(common, colours);
  const indices = new Map(palette.map((colour, index) => [colour, index]));
  const lines = Buffer.alloc((width + 1) * height);
  for (let pixel = 0; pixel < pixels.length; pixel++) {
    const colour = pixels[pixel]!;
    let index = indices.get(colour);
    if (index === undefined) indices.set(colour, (index = nearestIn(palette, colour)));
    lines[pixel + Math.floor(pixel / width) + 1] = index;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3], 8);
  const table = Buffer.from(palette.flatMap(colour => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const packed = deflateSync(lines, { level: 9, memLevel: 9 });
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('PLTE', table),
    chunk('IDAT', packed),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const surfaces = 12;
const steps = [96, 48, 24, 0];

/** The commonest are what everything stands on; of the others first those that are unlike all before: a red mark has few pixels. */
function paletteOf(common: readonly number[], most: number): number[] {
  const palette = common.slice(0, Math.min(most, surfaces));
  for (const step of steps)
    for (const colour of common) {
      if (palette.length >= most) return palette;
      if (palette.every(other => distance(colour, other) > step)) palette.push(colour);
    }
  return palette;
}

const distance = (a: number, b: number): number =>
  Math.abs((a >> 16) - (b >> 16)) + Math.abs(((a >> 8) & 255) - ((b >> 8) & 255)) + Math.abs((a & 255) - (b & 255));

function nearestIn(palette: readonly number[], colour: number): number {
  return palette.reduce(
    (best, other, index) => (distance(other, colour) < distance(palette[best]!, colour) ? index : best),
    0,
  );
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
