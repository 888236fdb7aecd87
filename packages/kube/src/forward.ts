/**
 * Forwards one HTTP request to a kube-apiserver as it streams, both ways, with backpressure and nothing buffered. An
 * answer that breaks off upstream is broken off here too: it must never look complete.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Asker, ForwardConnection } from './forward-connection.ts';
import type { ForwardTarget } from './forward-target.ts';
import { endToEndHeaders } from './hop-by-hop.ts';
import { isStaleConnection, networkError } from './network-error.ts';

export interface ForwardOptions {
  /** Path and query, as they go on the wire. */
  readonly path: string;
  /** All headers to send, raw; Host and the framing are added. */
  readonly headers: string[];
  /** Response headers (lower-case names) that are not passed on. */
  readonly dropHeader?: (name: string) => boolean;
  /** Raw headers added to the answer. */
  readonly addHeaders?: readonly string[];
  /** More of them for an answer of a request, by its status. */
  readonly explain?: (status: number) => readonly string[];
  /** Any of them ends the exchange on both sides. */
  readonly signals?: readonly AbortSignal[];
}

/**
 * Resolves when the exchange is over, well or not. Rejects, with nothing sent yet, when the target could not be asked:
 * ServiceUnavailable or Timeout naming it, or the reason of the signal.
 */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  to: { readonly target: ForwardTarget; readonly options: ForwardOptions },
): Promise<void> {
  return new Promise((resolve, reject) => {
    to.target.enter();
    new Forwarding({ request, response, ...to, resolve, reject }).start();
  });
}

interface Parts {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: ForwardTarget;
  readonly options: ForwardOptions;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const noDrop = () => false;

class Forwarding implements Asker {
  readonly #parts: Parts;
  readonly #hasBody: boolean;
  #connection: ForwardConnection | undefined;
  #complete = false;
  #over = false;
  #repeated = false;
  readonly #onClose = () => this.#closed();
  readonly #onAbort = (event: Event) => this.#abort((event.target as AbortSignal).reason as Error);
  #waiting = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#hasBody = hasBody(parts.request);
  }

  start(): void {
    const { response, options } = this.#parts;
    response.once('close', this.#onClose);
    for (const signal of options.signals ?? []) {
      if (signal.aborted) {
        this.#settle(signal.reason);
        return;
      }
      signal.addEventListener('abort', this.#onAbort);
    }
    this.#dispatch();
  }

  #dispatch(): void {
    const { target } = this.#parts;
    const kept = target.take();
    if (kept) this.#ask(kept);
    else
      target.connect().then(
        connection => this.#ask(connection),
        error => this.#settle(networkError(target.name, error)),
      );
  }

  #ask(connection: ForwardConnection): void {
    const { request, target, options } = this.#parts;
    if (this.#over) {
      target.put(connection);
      return;
    }
    this.#connection = connection;
    const { path, headers } = options;
    const body = this.#hasBody ? request : undefined;
    try {
      connection.ask({ method: request.method!, path, headers, host: target.dialer.url.host, body }, this);
    } catch (error) {
      target.put(connection);
      this.#settle(error);
    }
  }

  onHead(status: number, statusText: string, raw: string[]): void {
    const { response, options } = this.#parts;
    const headers = endToEndHeaders(raw, options.dropHeader ?? noDrop);
    if (options.addHeaders) headers.push(...options.addHeaders);
    if (options.explain) headers.push(...options.explain(status));
    response.writeHead(status, statusText, headers);
    // Together with the first bytes where they are here already, at once otherwise: a watch may be silent for long.
    process.nextTick(flushHead, response);
  }

  onData(chunk: Buffer): void {
    const { response } = this.#parts;
    if (response.write(chunk) || this.#waiting) return;
    this.#waiting = true;
    const connection = this.#connection!;
    connection.pause();
    response.once('drain', () => {
      this.#waiting = false;
      if (!this.#complete) connection.resume();
    });
  }

  onEnd(last: Buffer | undefined, trailers: readonly string[]): void {
    const { response, options } = this.#parts;
    this.#complete = true;
    const kept = endToEndHeaders(trailers, options.dropHeader ?? noDrop);
    if (kept.length > 0) response.addTrailers(pairsOf(kept));
    response.end(last);
    if (response.closed || response.destroyed) this.#settle(undefined);
  }

  onError(error: Error, untouched: boolean): void {
    const { request, response, target } = this.#parts;
    if (this.#over) return;
    if (response.headersSent || response.destroyed) {
      this.#breakOff();
      this.#settle(undefined);
      return;
    }
    // Sent on a kept connection that was just being closed: a read without a body can be asked again, once.
    const safe = !this.#hasBody && (request.method === 'GET' || request.method === 'HEAD');
    if (safe && untouched && !this.#repeated && isStaleConnection(error)) {
      this.#repeated = true;
      this.#connection = undefined;
      this.#dispatch();
      return;
    }
    this.#settle(networkError(target.name, error));
  }

  #abort(reason: Error): void {
    if (this.#over || this.#complete) return;
    const { response } = this.#parts;
    if (response.headersSent || response.destroyed) {
      this.#breakOff();
      this.#settle(undefined);
    } else this.#settle(reason);
    this.#connection?.destroy(reason);
  }

  /** Without the last chunk a client sees that the answer is not whole; HTTP/1.0 needs a reset for that. */
  #breakOff(): void {
    const { response } = this.#parts;
    const socket = response.socket;
    if (socket && response.req.httpVersion === '1.0' && 'resetAndDestroy' in socket) socket.resetAndDestroy();
    else response.destroy();
  }

  #closed(): void {
    if (!this.#complete) this.#abort(new Error('the client has gone'));
    this.#settle(undefined);
  }

  #settle(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const { response, options, target, resolve, reject } = this.#parts;
    response.off('close', this.#onClose);
    for (const signal of options.signals ?? []) signal.removeEventListener('abort', this.#onAbort);
    target.leave();
    if (error === undefined) resolve();
    else reject(error);
  }
}

function flushHead(response: ServerResponse): void {
  if (!response.destroyed && !response.writableEnded) response.flushHeaders();
}

/** Whether a body follows the head (RFC 9112 §6.3); Node's parser has refused what is ambiguous. */
function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i]!, raw[i + 1]!]);
  return pairs;
}
