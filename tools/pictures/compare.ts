/**
 * Whether two pictures of a screen show the same. Looked at are cells of four by four pixels by their average colour: how the edges of
 * letters are smoothed, which differs from one browser to the next, hardly changes it; a letter, a line or a place that is another does.
 */
import type { Picture } from './png.ts';

const cell = 4;
/** Of 255, in any channel of a cell's average. */
const mostDifference = 24;

export interface Difference {
  /** How many cells differ; all of them where one picture is larger. */
  readonly cells: number;
  /** The second picture, paled, with red where it differs. */
  readonly marked: Picture;
}

export function compare(before: Picture, after: Picture): Difference {
  const { width, height } = after;
  const isSameSize = before.width === width && before.height === height;
  const rgb = after.rgb.map(value => 128 + (value >> 1));
  let cells = 0;
  for (let y = 0; y < height; y += cell)
    for (let x = 0; x < width; x += cell) {
      if (isSameSize && !differs(before, after, { x, y })) continue;
      cells++;
      paint(rgb, width, { x, y, height });
    }
  return { cells, marked: { width, height, rgb } };
}

interface Place {
  readonly x: number;
  readonly y: number;
}

function differs(a: Picture, b: Picture, { x, y }: Place): boolean {
  const sums = [0, 0, 0];
  const [toX, toY] = [Math.min(x + cell, a.width), Math.min(y + cell, a.height)];
  for (let line = y; line < toY; line++)
    for (let column = x; column < toX; column++)
      for (let channel = 0; channel < 3; channel++) {
        const at = (line * a.width + column) * 3 + channel;
        sums[channel] = sums[channel]! + b.rgb[at]! - a.rgb[at]!;
      }
  const most = mostDifference * (toX - x) * (toY - y);
  return sums.some(sum => Math.abs(sum) > most);
}

function paint(rgb: Uint8Array, width: number, { x, y, height }: Place & { readonly height: number }): void {
  for (let line = y; line < Math.min(y + cell, height); line++)
    for (let column = x; column < Math.min(x + cell, width); column++)
      rgb.set([220, 20, 40], (line * width + column) * 3);
}
