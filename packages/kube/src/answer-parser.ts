/**
 * Reads answers off a connection to a kube-apiserver, one after the other (RFC 9112). Strict: what is not in the form that
 * servers of our day write ends the connection. Bytes of bodies are handed on as they lie in what came, not copied.
 */

/** What is told of one answer, in this order. */
export interface AnswerSink {
  onHead(status: number, statusText: string, headers: string[]): void;
  onData(chunk: Buffer): void;
  /** The answer is whole. `last` are bytes of the body that came with its end. */
  onEnd(last: Buffer | undefined, trailers: readonly string[]): void;
}

type State = 'idle' | 'head' | 'counted' | 'size' | 'chunk' | 'chunkEnd' | 'trailers' | 'rest';

const mostHeadBytes = 65_536;
const mostSizeBytes = 1024;
const line = Buffer.from('\r\n');
const emptyLine = Buffer.from('\r\n\r\n');
const plainHead =
  /^HTTP\/1\.[01] \d{3}(?: [\t\x20-\x7e\x80-\xff]*)?(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*)*$/;
const plainTrailers = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/;
const sizeLine = /^([0-9a-fA-F]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

export class AnswerParser {
  #state: State = 'idle';
  #sink: AnswerSink | undefined;
  #isHead = false;
  /** What came of a head, a size or trailers that are not all there yet. */
  #begun: Buffer | undefined;
  #left = 0;
  #keepAlive = true;
  #started = false;

  /** The connection may be used for another request once this answer has ended. */
  get keepAlive(): boolean {
    return this.#keepAlive;
  }

  /** Anything of the answer has come. */
  get started(): boolean {
    return this.#started;
  }

  /** What comes next answers a request of this method. */
  expect(method: string, sink: AnswerSink): void {
    this.#state = 'head';
    this.#sink = sink;
    this.#isHead = method === 'HEAD';
    this.#started = false;
  }

  /** Throws for what is no answer to anything that was asked. */
  push(chunk: Buffer): void {
    if (this.#state === 'idle') throw new Error('it sent what nobody asked for');
    this.#started = true;
    let rest: Buffer | undefined = chunk;
    if (this.#begun) {
      rest = Buffer.concat([this.#begun, chunk]);
      this.#begun = undefined;
    }
    while (rest !== undefined && rest.length > 0) rest = this.#step(rest);
  }

  /** Nothing more will come: true where that is how the answer ends. */
  finish(): boolean {
    if (this.#state !== 'rest') return false;
    this.#end(undefined, []);
    return true;
  }

  /** Takes what it can; gives what is left, undefined where it needs more. */
  #step(bytes: Buffer): Buffer | undefined {
    switch (this.#state) {
      case 'idle':
      case 'head':
        return this.#head(bytes);
      case 'counted':
        return this.#counted(bytes);
      case 'size':
        return this.#size(bytes);
      case 'chunk':
        return this.#chunk(bytes);
      case 'chunkEnd':
        if (bytes.length < 2) return this.#wait(bytes, 2);
        if (bytes[0] !== 13 || bytes[1] !== 10) throw malformed();
        this.#state = 'size';
        return bytes.subarray(2);
      case 'trailers':
        return this.#trailers(bytes);
      case 'rest':
        this.#sink!.onData(bytes);
        return undefined;
    }
  }

  #wait(bytes: Buffer, most: number): undefined {
    if (bytes.length > most) throw malformed();
    this.#begun = bytes;
  }

  #head(bytes: Buffer): Buffer | undefined {
    const length = bytes.indexOf(emptyLine);
    if (length < 0 || length > mostHeadBytes) return this.#wait(bytes, mostHeadBytes);
    const text = bytes.toString('latin1', 0, length);
    if (!plainHead.test(text)) throw malformed();
    const lines = text.split('\r\n');
    const first = lines[0]!;
    const status = Number(first.slice(9, 12));
    const headers: string[] = [];
    const framing = readHeaders(lines, headers);
    const rest = bytes.subarray(length + 4);
    // Interim answers are about the connection, where nobody asked for one.
    if (status < 200) {
      if (status < 100 || status === 101) throw malformed();
      return rest;
    }
    this.#keepAlive = framing.keepAlive && first.startsWith('HTTP/1.1');
    this.#sink!.onHead(status, first.slice(13), headers);
    const empty = this.#isHead || status === 204 || status === 304 || (!framing.chunked && framing.length === 0);
    if (empty) return this.#lastBefore(rest, undefined, []);
    if (framing.chunked) this.#state = 'size';
    else if (framing.length === undefined) {
      this.#keepAlive = false;
      this.#state = 'rest';
    } else {
      this.#left = framing.length;
      this.#state = 'counted';
    }
    return rest;
  }

  #counted(bytes: Buffer): Buffer | undefined {
    if (bytes.length < this.#left) {
      this.#left -= bytes.length;
      this.#sink!.onData(bytes);
      return undefined;
    }
    return this.#lastBefore(bytes.subarray(this.#left), bytes.subarray(0, this.#left), []);
  }

  #size(bytes: Buffer): Buffer | undefined {
    const length = bytes.indexOf(line);
    if (length < 0 || length > mostSizeBytes) return this.#wait(bytes, mostSizeBytes);
    const match = sizeLine.exec(bytes.toString('latin1', 0, length));
    if (!match) throw malformed();
    this.#left = Number.parseInt(match[1]!, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'chunk';
    return bytes.subarray(length + 2);
  }

  #chunk(bytes: Buffer): Buffer | undefined {
    const part = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
    this.#left -= part.length;
    if (this.#left === 0) this.#state = 'chunkEnd';
    this.#sink!.onData(part);
    return bytes.subarray(part.length);
  }

  #trailers(bytes: Buffer): Buffer | undefined {
    const none = bytes.length >= 2 && bytes[0] === 13 && bytes[1] === 10;
    const end = none ? 2 : bytes.indexOf(emptyLine) + 4;
    if (end < 4 && !none) return this.#wait(bytes, mostHeadBytes);
    const trailers: string[] = [];
    if (!none) {
      const text = bytes.toString('latin1', 0, end);
      if (!plainTrailers.test(text)) throw malformed();
      readHeaders(['', ...text.slice(0, -4).split('\r\n')], trailers);
    }
    return this.#lastBefore(bytes.subarray(end), undefined, trailers);
  }

  /** Ends the answer; what is behind it is no other one, whose turn could come as soon as this one's end is told. */
  #lastBefore(rest: Buffer, last: Buffer | undefined, trailers: readonly string[]): undefined {
    if (rest.length > 0) throw new Error('it sent more than it had announced');
    this.#end(last, trailers);
  }

  #end(last: Buffer | undefined, trailers: readonly string[]): void {
    const sink = this.#sink!;
    this.#state = 'idle';
    this.#sink = undefined;
    sink.onEnd(last, trailers);
  }
}

interface Framing {
  readonly length: number | undefined;
  readonly chunked: boolean;
  readonly keepAlive: boolean;
}

/** Puts names and values in turn into `headers`; throws where they leave open how long the body is. */
function readHeaders(lines: readonly string[], headers: string[]): Framing {
  let length: number | undefined;
  let chunked = false;
  let keepAlive = true;
  for (let i = 1; i < lines.length; i++) {
    const text = lines[i]!;
    const colon = text.indexOf(':');
    const name = text.slice(0, colon);
    const value = text.slice(text.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1);
    headers.push(name, value);
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (length !== undefined || !/^[\t ]*\d{1,15}[\t ]*$/.test(value)) throw malformed();
      length = Number(value);
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      if (chunked || value.trim().toLowerCase() !== 'chunked') throw malformed();
      chunked = true;
    } else if (name.length === 10 && name.toLowerCase() === 'connection') {
      keepAlive &&= !/(?:^|[\t ,])close(?:[\t ,]|$)/i.test(value);
    }
  }
  if (chunked && length !== undefined) throw malformed();
  return { length, chunked, keepAlive };
}

function malformed(): Error {
  return new Error('its answer is not in the form of HTTP/1.1');
}
