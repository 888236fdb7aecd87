/**
 * Bodies as they pass, copied up to a bound and never held up: taps on what Node calls anyway, so that nobody's reading or
 * writing changes. Past the bound, or past what all together may hold, only the length is known.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Bytes that all captured bodies may hold at once. */
export class Budget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }

  get left(): number {
    return this.#left;
  }
}

export class Capture {
  readonly #budget: Budget;
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #kept = 0;
  #length = 0;
  #dropped: 'tooLarge' | 'tooMuchAtOnce' | undefined;

  constructor(budget: Budget, maxBytes: number) {
    this.#budget = budget;
    this.#maxBytes = maxBytes;
  }

  /** All bytes that passed, kept or not. */
  get length(): number {
    return this.#length;
  }

  add(chunk: unknown, encoding?: unknown): void {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return;
    const size = typeof chunk === 'string' ? Buffer.byteLength(chunk, encodingOf(encoding)) : chunk.byteLength;
    this.#length += size;
    if (this.#dropped) return;
    if (this.#length > this.#maxBytes) {
      this.#drop('tooLarge');
    } else if (this.#budget.take(size)) {
      this.#kept += size;
      // A copy: a piece of the parser's buffer would keep the whole of it.
      this.#chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, encodingOf(encoding)) : Buffer.from(chunk));
    } else {
      this.#drop('tooMuchAtOnce');
    }
  }

  /** The whole body, or why it is not there. */
  read(): Buffer | string {
    if (this.#dropped === 'tooLarge') return `[omitted: ${this.#length} bytes]`;
    if (this.#dropped) return '[omitted: too many bodies at once]';
    return Buffer.concat(this.#chunks);
  }

  release(): void {
    this.#budget.give(this.#kept);
    this.#kept = 0;
    this.#chunks = [];
  }

  #drop(why: 'tooLarge' | 'tooMuchAtOnce'): void {
    this.#dropped = why;
    this.release();
  }
}

function encodingOf(encoding: unknown): BufferEncoding {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8';
}

/** Sees what arrives when it arrives, whoever reads it then, and makes nothing flow by itself. */
export function tapRequest(request: IncomingMessage, capture: Capture): void {
  const push = request.push;
  request.push = (chunk, encoding) => {
    capture.add(chunk, encoding);
    return push.call(request, chunk, encoding);
  };
}

export interface Head {
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Tells the head of the answer when it is made. */
export function tapHead(response: ServerResponse, onHead: (head: Head) => void): void {
  const writeHead = response.writeHead as (...args: unknown[]) => ServerResponse;
  response.writeHead = ((...args: unknown[]) => {
    const given = args.find((arg, i) => i > 0 && typeof arg === 'object' && arg !== null);
    const last = pairsOf(given);
    const replaced = new Set(last.map(([name]) => name.toLowerCase()));
    onHead({ headers: [...pairsOf(response.getHeaders()).filter(([name]) => !replaced.has(name)), ...last] });
    return writeHead.apply(response, args);
  }) as typeof response.writeHead;
}

export function tapResponse(response: ServerResponse, capture: Capture): void {
  const { write, end } = response as unknown as Record<'write' | 'end', (...args: unknown[]) => unknown>;
  response.write = ((...args: unknown[]) => {
    capture.add(args[0], args[1]);
    return write.apply(response, args);
  }) as typeof response.write;
  response.end = ((...args: unknown[]) => {
    capture.add(args[0], args[1]);
    return end.apply(response, args);
  }) as typeof response.end;
}

/** Headers in any of the forms that Node takes: an object, a flat list, or a list of pairs. */
function pairsOf(headers: unknown): [string, string][] {
  if (typeof headers !== 'object' || headers === null) return [];
  if (!Array.isArray(headers)) {
    return Object.entries(headers).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, String(one)]),
    );
  }
  if (Array.isArray(headers[0])) return headers.map(([name, value]): [string, string] => [String(name), String(value)]);
  return rawPairs(headers);
}

/** Raw headers, names and values in turn, as pairs. */
export function rawPairs(raw: readonly unknown[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([String(raw[i]), String(raw[i + 1])]);
  return pairs;
}
