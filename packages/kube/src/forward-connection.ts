/**
 * ForwardConnection: one connection to a kube-apiserver on which requests are asked one after the other, each by a head that
 * is written here and a body that streams. Surprise: it reads all the time, so that a connection closed while nobody used it
 * is known before the next request goes that way.
 */
import type { Duplex, Readable } from 'node:stream';
import { badRequest } from '@drover/base';
import { AnswerParser, type AnswerSink } from './answer-parser.ts';

export interface Question {
  readonly method: string;
  readonly path: string;
  /** All headers but Host and Transfer-Encoding, raw. */
  readonly headers: readonly string[];
  readonly host: string;
  /** Absent where no body follows. A stream is sent in chunks unless the headers tell its length. */
  readonly body: Readable | Uint8Array | undefined;
}

export interface Asker extends AnswerSink {
  /** There will be no more of the answer; `untouched` where none of it has come. */
  onError(error: Error, untouched: boolean): void;
}

/** Whoever's text it is: no request can be made to look like two, and no header like two. */
const plainMethod = /^[A-Z-]{1,20}$/;
const plainPath = /^[\x21-\x7e\x80-\xff]+$/;
const plainName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const plainValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const expectBody = new Set(['POST', 'PUT', 'PATCH']);

export class ForwardConnection implements AnswerSink {
  readonly #stream: Duplex;
  readonly #parser = new AnswerParser();
  readonly #onIdle: (connection: ForwardConnection) => void;
  #asker: Asker | undefined;
  #body: BodySender | undefined;
  #failure: Error | undefined;

  constructor(
    stream: Duplex,
    on: {
      /** It may be asked the next thing. */
      readonly onIdle: (connection: ForwardConnection) => void;
      readonly onGone: (connection: ForwardConnection) => void;
    },
  ) {
    this.#stream = stream;
    this.#onIdle = on.onIdle;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('error', error => {
      this.#failure = error;
    });
    // A stream inside another one, as TLS through SSH, may tell its end and never that it is closed.
    stream.on('end', () => {
      this.#closed();
      stream.destroy();
    });
    stream.on('close', () => {
      on.onGone(this);
      this.#closed();
    });
  }

  /** Whether its far end has not closed it, as far as is known. */
  get usable(): boolean {
    return this.#stream.writable && this.#stream.readable;
  }

  /** Sends the question; throws BadRequest, with nothing sent, for what can't be sent. */
  ask(question: Question, asker: Asker): void {
    const { method, body } = question;
    const { text, chunked } = headText(question);
    this.#asker = asker;
    // What was closed before anybody listened will not say so again.
    if (this.#stream.destroyed) {
      process.nextTick(() => this.#closed());
      return;
    }
    this.#parser.expect(method, this);
    if (body instanceof Uint8Array) {
      this.#stream.cork();
      this.#stream.write(text, 'latin1');
      this.#stream.write(body);
      this.#stream.uncork();
      return;
    }
    this.#stream.write(text, 'latin1');
    if (body) this.#body = new BodySender(body, this.#stream, chunked);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Closes it; whoever asked hears the error. */
  destroy(error?: Error): void {
    this.#failure ??= error;
    this.#body?.stop();
    this.#stream.destroy(error);
  }

  onHead(status: number, statusText: string, headers: string[]): void {
    this.#asker!.onHead(status, statusText, headers);
  }

  onData(chunk: Buffer): void {
    this.#asker!.onData(chunk);
  }

  onEnd(last: Buffer | undefined, trailers: readonly string[]): void {
    const asker = this.#asker!;
    this.#asker = undefined;
    const sent = this.#body === undefined || this.#body.done;
    this.#body?.stop();
    this.#body = undefined;
    if (this.#stream.isPaused()) this.#stream.resume();
    // An answer that came before its request was all sent leaves the rest in the way of the next one.
    if (sent && this.#parser.keepAlive && !this.#stream.destroyed) this.#onIdle(this);
    else this.#stream.destroy();
    asker.onEnd(last, trailers);
  }

  #receive(chunk: Buffer): void {
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #closed(): void {
    const asker = this.#asker;
    if (!asker) return;
    if (this.#failure === undefined && this.#stream.readableEnded && this.#parser.finish()) return;
    this.#asker = undefined;
    this.#body?.stop();
    asker.onError(this.#failure ?? closedError(), !this.#parser.started);
  }
}

function closedError(): Error {
  return Object.assign(new Error('the other side closed it'), { code: 'ECONNRESET' });
}

function headText({ method, path, headers, host, body }: Question): { text: string; chunked: boolean } {
  if (!plainMethod.test(method) || !plainPath.test(path)) throw unsendable('its first line');
  let text = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n`;
  let counted = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    if (!plainName.test(name) || !plainValue.test(value)) throw unsendable('a header');
    text += `${name}: ${value}\r\n`;
    if (name.length === 14 && name.toLowerCase() === 'content-length') counted = true;
  }
  const whole = body instanceof Uint8Array;
  const chunked = body !== undefined && !whole && !counted;
  if (whole && !counted) text += `Content-Length: ${body.length}\r\n`;
  else if (chunked) text += 'Transfer-Encoding: chunked\r\n';
  else if (!counted && expectBody.has(method)) text += 'Content-Length: 0\r\n';
  return { text: `${text}\r\n`, chunked };
}

function unsendable(part: string): Error {
  return badRequest(`this request can't be sent on: ${part} holds what HTTP/1.1 does not allow`);
}

/** Passes a body on as it comes, no faster than the other side takes it. */
class BodySender {
  readonly #body: Readable;
  readonly #stream: Duplex;
  readonly #chunked: boolean;
  #done = false;
  readonly #onData = (chunk: Buffer) => this.#send(chunk);
  readonly #onEnd = () => this.#finish();
  readonly #onDrain = () => void this.#body.resume();
  readonly #onError = (error: Error) => void this.#stream.destroy(error);

  constructor(body: Readable, stream: Duplex, chunked: boolean) {
    this.#body = body;
    this.#stream = stream;
    this.#chunked = chunked;
    stream.on('drain', this.#onDrain);
    body.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError);
  }

  get done(): boolean {
    return this.#done;
  }

  stop(): void {
    this.#stream.off('drain', this.#onDrain);
    this.#body.off('data', this.#onData).off('end', this.#onEnd);
    // Its error stays listened to: a late one must not end the process.
  }

  #send(chunk: Buffer): void {
    if (this.#chunked) {
      this.#stream.cork();
      this.#stream.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    }
    let more = this.#stream.write(chunk);
    if (this.#chunked) {
      more = this.#stream.write('\r\n', 'latin1');
      this.#stream.uncork();
    }
    if (!more) this.#body.pause();
  }

  #finish(): void {
    this.#done = true;
    if (this.#chunked) this.#stream.write('0\r\n\r\n', 'latin1');
    this.stop();
  }
}
