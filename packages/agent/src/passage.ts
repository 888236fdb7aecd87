/**
 * One stream of the server's, joined to one connection to the kube-apiserver: each request's head is checked and given the
 * agent's credentials, and everything else passes as it is. Answers are not parsed here; the server does that. A request
 * that is not in the plain form hands the stream over to Node's HTTP server, for good.
 */
import type { Duplex } from 'node:stream';
import { networkError, type ServerDialer } from '@drover/kube';
import { parsePlainHead, type RequestHead } from './request-head.ts';

export interface PassageDeps {
  readonly dialer: ServerDialer;
  /** How the kube-apiserver is called in messages to people. */
  readonly name: string;
  /** Throws for what may not be sent; gives the Authorization header that it is sent with, where there is one. */
  readonly admit: (headers: readonly string[]) => Promise<string | undefined>;
  /** Answers with the error and ends the stream. */
  readonly refuse: (stream: Duplex, error: unknown) => void;
  /** Takes the stream over; what had been read of it is in it again. */
  readonly handOver: (stream: Duplex) => void;
  readonly onOver: (passage: Passage) => void;
}

/** A request that has been sent and of whose answer nothing has come. */
interface Unanswered {
  readonly text: string;
  readonly repeatable: boolean;
}

export class Passage {
  readonly #stream: Duplex;
  readonly #deps: PassageDeps;
  readonly #closed = new AbortController();
  #upstream: Duplex | undefined;
  #unanswered: Unanswered | undefined;
  /** Of the request's body, bytes still to come. */
  #bodyLeft = 0;
  #busy = false;
  #held: Buffer[] = [];
  #over = false;
  readonly #onData = (chunk: Buffer) => this.#receive(chunk);
  readonly #onDrain = () => this.#upstream?.resume();
  readonly #onClose = () => this.close();

  constructor(stream: Duplex, deps: PassageDeps) {
    this.#stream = stream;
    this.#deps = deps;
    stream.on('data', this.#onData).on('drain', this.#onDrain).on('close', this.#onClose);
  }

  /** Cuts both sides. */
  close(): void {
    if (this.#over) return;
    this.#leave();
    this.#stream.destroy();
  }

  #leave(): void {
    this.#over = true;
    this.#stream.off('data', this.#onData).off('drain', this.#onDrain).off('close', this.#onClose);
    this.#closed.abort(new Error('the stream was closed'));
    this.#upstream?.destroy();
    this.#deps.onOver(this);
  }

  #refuse(error: unknown): void {
    if (this.#over) return;
    this.#leave();
    this.#stream.resume();
    this.#deps.refuse(this.#stream, error);
  }

  #receive(chunk: Buffer): void {
    if (this.#busy) {
      this.#held.push(chunk);
      this.#stream.pause();
    } else if (this.#bodyLeft === 0) this.#begin(chunk);
    else this.#passBody(chunk);
  }

  #passBody(chunk: Buffer): void {
    const upstream = this.#upstream!;
    const body = chunk.length > this.#bodyLeft ? chunk.subarray(0, this.#bodyLeft) : chunk;
    this.#bodyLeft -= body.length;
    if (!upstream.write(body)) {
      this.#stream.pause();
      upstream.once('drain', () => this.#stream.resume());
    }
    if (chunk.length > body.length) this.#receive(chunk.subarray(body.length));
  }

  #begin(chunk: Buffer): void {
    const head = parsePlainHead(chunk);
    if (!head) {
      this.#leave();
      this.#stream.pause();
      this.#stream.unshift(chunk);
      this.#deps.handOver(this.#stream);
      this.#stream.resume();
      return;
    }
    this.#busy = true;
    if (chunk.length > head.size) this.#held.push(chunk.subarray(head.size));
    this.#send(head).catch((error: unknown) => this.#refuse(error));
  }

  async #send(head: RequestHead): Promise<void> {
    const credentials = await this.#deps.admit(head.headers);
    const text = this.#headText(head, credentials);
    const upstream = this.#upstream ?? (await this.#dial());
    if (this.#over) return;
    this.#unanswered = { text, repeatable: head.isRead && !head.bodyBytes };
    this.#bodyLeft = head.bodyBytes ?? 0;
    this.#write(upstream, text);
  }

  /** The head, and in one piece with it what came behind it meanwhile. */
  #write(upstream: Duplex, text: string): void {
    this.#busy = false;
    if (this.#held.length === 0) {
      upstream.write(text, 'latin1');
      return;
    }
    upstream.cork();
    upstream.write(text, 'latin1');
    const held = this.#held;
    this.#held = [];
    for (const chunk of held) this.#receive(chunk);
    upstream.uncork();
    if (!upstream.writableNeedDrain) this.#stream.resume();
  }

  #headText({ asks, headers, bodyBytes }: RequestHead, credentials: string | undefined): string {
    let text = `${asks} HTTP/1.1\r\nHost: ${this.#deps.dialer.url.host}\r\n`;
    for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
    if (bodyBytes !== undefined) text += `Content-Length: ${bodyBytes}\r\n`;
    if (credentials !== undefined) text += `Authorization: ${credentials}\r\n`;
    return `${text}\r\n`;
  }

  async #dial(): Promise<Duplex> {
    const upstream = await this.#deps.dialer.dial(this.#closed.signal);
    if (this.#over) {
      upstream.on('error', () => undefined).destroy();
      return upstream;
    }
    this.#upstream = upstream;
    let failure: unknown;
    upstream.on('data', (chunk: Buffer) => {
      this.#unanswered = undefined;
      if (!this.#stream.write(chunk)) upstream.pause();
    });
    upstream.on('error', error => {
      failure = error;
    });
    upstream.on('end', () => upstream.destroy());
    upstream.on('close', () => this.#lost(upstream, failure));
    // What was closed before anybody listened will not say so again.
    if (upstream.destroyed) process.nextTick(() => this.#lost(upstream, failure));
    return upstream;
  }

  /** The kube-apiserver closed the connection: between two requests, or as one reached it, or in the midst of an answer. */
  #lost(upstream: Duplex, failure: unknown): void {
    if (this.#over || this.#upstream !== upstream) return;
    this.#upstream = undefined;
    const { name } = this.#deps;
    if (this.#unanswered?.repeatable) {
      const { text } = this.#unanswered;
      this.#unanswered = { text, repeatable: false };
      this.#busy = true;
      this.#dial().then(
        again => !this.#over && this.#write(again, text),
        (error: unknown) => this.#refuse(error),
      );
      return;
    }
    const error = networkError(name, failure ?? new Error('it closed the connection'));
    if (this.#unanswered) {
      this.#refuse(error);
      return;
    }
    this.#leave();
    if (failure === undefined && upstream.readableEnded) this.#stream.resume().end();
    // An answer that breaks off must not look complete.
    else this.#stream.destroy(error);
  }
}
