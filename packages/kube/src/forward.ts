/**
 * Forwards one HTTP request to a kube-apiserver as it streams, both ways, with backpressure and nothing buffered. An
 * answer that breaks off upstream is broken off here too: it must never look complete.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { badRequest, StatusError } from '@drover/base';
import type { Dispatcher } from 'undici';
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

class Forwarding implements Dispatcher.DispatchHandler {
  readonly #parts: Parts;
  readonly #hasBody: boolean;
  #controller: Dispatcher.DispatchController | undefined;
  #complete = false;
  #over = false;
  #cut: Error | undefined;
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
    const { request, target, options } = this.#parts;
    try {
      target.pool.dispatch(
        {
          path: options.path,
          method: request.method as Dispatcher.HttpMethod,
          headers: options.headers,
          body: this.#hasBody ? request : null,
        },
        this,
      );
    } catch (error) {
      this.#settle(badRequest(`this request can't be sent on: ${error instanceof Error ? error.message : error}`));
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#cut) controller.abort(this.#cut);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _: unknown, statusText?: string): void {
    // Interim answers are about the connection to the target, where nobody asked for one.
    if (status < 200) return;
    const { response, options } = this.#parts;
    const raw = latin1(controller.rawHeaders as unknown as (Buffer | string)[]);
    const headers = endToEndHeaders(raw, options.dropHeader ?? noDrop);
    if (options.addHeaders) headers.push(...options.addHeaders);
    if (options.explain) headers.push(...options.explain(status));
    response.writeHead(status, statusText ?? '', headers);
    // Together with the first bytes where they are here already, at once otherwise: a watch may be silent for long.
    process.nextTick(flushHead, response);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response } = this.#parts;
    if (response.write(chunk) || this.#waiting) return;
    this.#waiting = true;
    controller.pause();
    response.once('drain', () => {
      this.#waiting = false;
      controller.resume();
    });
  }

  onResponseEnd(_: Dispatcher.DispatchController, trailers: Record<string, string | string[] | undefined>): void {
    const { response } = this.#parts;
    this.#complete = true;
    for (const name in trailers) {
      if (trailers[name] !== undefined) response.addTrailers({ [name]: String(trailers[name]) });
    }
    response.end();
    if (response.closed || response.destroyed) this.#settle(undefined);
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    const { request, response, target } = this.#parts;
    if (this.#over) return;
    if (response.headersSent || response.destroyed) {
      this.#breakOff();
      this.#settle(undefined);
      return;
    }
    if (this.#cut) {
      this.#settle(this.#cut);
      return;
    }
    // Sent on a kept connection that was just being closed: a read without a body can be asked again, once.
    const safe = !this.#hasBody && (request.method === 'GET' || request.method === 'HEAD');
    if (safe && !this.#repeated && isStaleConnection(error)) {
      this.#repeated = true;
      this.#controller = undefined;
      this.#dispatch();
      return;
    }
    this.#settle(error instanceof StatusError ? error : networkError(target.name, error));
  }

  #abort(reason: Error): void {
    if (this.#over || this.#complete) return;
    this.#cut = reason;
    const { response } = this.#parts;
    if (response.headersSent) this.#breakOff();
    if (this.#controller) this.#controller.abort(reason);
    else this.#settle(response.headersSent ? undefined : reason);
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

function latin1(raw: readonly (Buffer | string)[]): string[] {
  const out = new Array<string>(raw.length);
  for (let i = 0; i < raw.length; i++) {
    const part = raw[i]!;
    out[i] = typeof part === 'string' ? part : part.toString('latin1');
  }
  return out;
}
