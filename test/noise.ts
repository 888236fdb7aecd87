/**
 * Noise for tests: what is right, broken in small ways by a generator with a seed, so that a failure can be made again.
 * `DROVER_FUZZ_RUNS` says how often (a million for the proof that the docs speak of), `DROVER_FUZZ_SEED` from where.
 */
import { randomInt } from 'node:crypto';

export const runs = Number(process.env['DROVER_FUZZ_RUNS'] ?? 20_000);
export const seed = Number(process.env['DROVER_FUZZ_SEED'] ?? randomInt(2 ** 31));

export class Noise {
  #state: number;

  constructor(from = seed) {
    this.#state = from >>> 0;
  }

  /** A whole number from 0 up to, not including, `below` (mulberry32). */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Any character that one byte can be, mostly those that mean something in HTTP. */
  character(): string {
    return this.below(3) > 0
      ? this.pick([...'/.%\\;:?#&=,"\'\r\n\t\0 +_-@[]{}<>2eE0Ff'])
      : String.fromCharCode(this.below(256));
  }

  /** The text with a few characters changed, taken out, put in, doubled, or exchanged with a piece of another. */
  mutate(text: string, others: readonly string[]): string {
    let out = text;
    for (let changes = this.below(5); changes > 0; changes--) {
      const at = this.below(out.length + 1);
      const end = Math.min(out.length, at + this.below(12));
      const other = this.pick(others);
      const piece = this.pick([
        () => '',
        () => this.character(),
        () => out.slice(at, end).repeat(2),
        () => other.slice(this.below(other.length + 1)),
        () => out.slice(at, end).toUpperCase(),
        () => encodeURIComponent(out.slice(at, end).replace(/[\ud800-\udfff]/g, '')),
        () => this.character().repeat(this.below(200)),
      ])();
      out = out.slice(0, at) + piece + out.slice(end);
    }
    return out;
  }

  /** The bytes with a few changed, taken out or put in. */
  mutateBytes(bytes: Buffer): Buffer {
    const out = [...bytes];
    for (let changes = this.below(6); changes > 0; changes--) {
      const at = this.below(out.length + 1);
      const what = this.below(4);
      if (what === 0) out.splice(at, this.below(8));
      else if (what === 1) out.splice(at, 0, this.below(256));
      else if (what === 2) out.splice(at, 0, ...Array<number>(this.below(12)).fill(this.pick([0, 0x7f, 0x80, 0xff])));
      else if (at < out.length) out[at] = this.below(256);
    }
    return Buffer.from(out);
  }
}
