/**
 * Lines of a body that is streamed, such as the JSON of watch events: they may be split anywhere between chunks, also
 * inside a character.
 */
import { tooLarge } from '@drover/base';

/** Parses each line as it completes; what follows the last newline when the stream ends is a cut event and is dropped. */
export async function* readJsonLines<T>(chunks: AsyncIterable<Uint8Array>, maxLineBytes = 64 << 20): AsyncGenerator<T> {
  const lines = new LineCutter(maxLineBytes, 'a watch event');
  for await (const chunk of chunks)
    for (const line of lines.cut(chunk)) if (line.trim() !== '') yield JSON.parse(line) as T;
}

/** Gives the lines that each chunk completes; keeps no more than the one that is not whole yet. */
export class LineCutter {
  readonly #maxBytes: number;
  readonly #what: string;
  #parts: Uint8Array[] = [];
  #length = 0;

  /** `what` a line is, for the error of one that is too long. */
  constructor(maxBytes: number, what = 'a line') {
    this.#maxBytes = maxBytes;
    this.#what = what;
  }

  /** Throws RequestEntityTooLarge for a line that is longer than it may be. */
  *cut(chunk: Uint8Array): Generator<string> {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      const end = chunk.subarray(from, at);
      const line = this.#parts.length === 0 ? end : Buffer.concat([...this.#parts, end]);
      this.#parts = [];
      this.#length = 0;
      from = at + 1;
      yield Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8');
    }
    if (from < chunk.length) {
      this.#parts.push(chunk.subarray(from));
      this.#length += chunk.length - from;
      if (this.#length > this.#maxBytes) throw tooLarge(`${this.#what} is longer than ${this.#maxBytes} bytes`);
    }
  }
}
