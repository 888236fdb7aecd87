/**
 * Newline-separated JSON, as the API server streams watch events: lines may be split anywhere between chunks, also
 * inside a character.
 */
import { tooLarge } from '@drover/base';

/** Parses each line as it completes; what follows the last newline when the stream ends is a cut event and is dropped. */
export async function* readJsonLines<T>(chunks: AsyncIterable<Uint8Array>, maxLineBytes = 64 << 20): AsyncGenerator<T> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      const end = chunk.subarray(from, at);
      const line = parts.length === 0 ? end : Buffer.concat([...parts, end]);
      parts = [];
      length = 0;
      from = at + 1;
      const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8');
      if (text.trim() !== '') yield JSON.parse(text) as T;
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from));
      length += chunk.length - from;
      if (length > maxLineBytes) throw tooLarge(`a watch event is longer than ${maxLineBytes} bytes`);
    }
  }
}
