/**
 * One request to a kube-apiserver, its answer given as soon as the head is there and the body streaming. Waits for its turn
 * where as many are running as may.
 */
import { Readable } from 'node:stream';
import type { Asker, ForwardConnection } from './forward-connection.ts';
import type { ForwardTarget } from './forward-target.ts';
import type { Headers } from './headers.ts';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body?: string | Uint8Array | Readable;
  /** Ends the request, and the body of its answer, with its reason. */
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

/** Rejects with what broke the connection, or the signal's reason. A body that nobody reads holds its connection. */
export async function ask(target: ForwardTarget, request: Request): Promise<Answer> {
  const { signal } = request;
  await target.turn(signal);
  const leave = () => target.leave();
  let connection: ForwardConnection;
  try {
    connection = target.take() ?? (await target.connect(signal));
  } catch (error) {
    leave();
    throw error;
  }
  return new Promise((resolve, reject) => {
    new Asking(connection, { signal, resolve, reject, leave }).ask(target, request);
  });
}

interface Parts {
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  readonly leave: () => void;
}

class Asking implements Asker {
  readonly #connection: ForwardConnection;
  readonly #parts: Parts;
  #body: Readable | undefined;
  #over = false;
  readonly #onAbort = () => this.#abort(this.#parts.signal!.reason as Error);

  constructor(connection: ForwardConnection, parts: Parts) {
    this.#connection = connection;
    this.#parts = parts;
  }

  ask(target: ForwardTarget, { method, path, headers, body }: Request): void {
    try {
      this.#connection.ask(
        {
          method,
          path,
          headers: rawHeaders(headers),
          host: target.dialer.url.host,
          body: typeof body === 'string' ? Buffer.from(body) : body,
        },
        this,
      );
      this.#parts.signal?.addEventListener('abort', this.#onAbort);
    } catch (error) {
      target.put(this.#connection);
      this.#settle();
      this.#parts.reject(error);
    }
  }

  onHead(status: number, _text: string, raw: readonly string[]): void {
    this.#body = new Readable({
      read: () => {
        if (!this.#over) this.#connection.resume();
      },
      destroy: (error, done) => {
        if (!this.#over) this.#connection.destroy(error ?? new Error('nobody reads the answer any more'));
        done(error);
      },
    });
    this.#parts.resolve({ status, headers: byName(raw), body: this.#body });
  }

  onData(chunk: Buffer): void {
    if (!this.#body!.push(chunk)) this.#connection.pause();
  }

  onEnd(last: Buffer | undefined): void {
    this.#settle();
    if (last && last.length > 0) this.#body!.push(last);
    this.#body!.push(null);
  }

  onError(error: Error): void {
    if (this.#over) return;
    this.#settle();
    if (this.#body) this.#body.destroy(error);
    else this.#parts.reject(error);
  }

  /** Whoever gave up is told at once, whatever becomes of the connection. */
  #abort(reason: Error): void {
    this.onError(reason);
    this.#connection.destroy(reason);
  }

  #settle(): void {
    if (this.#over) return;
    this.#over = true;
    this.#parts.signal?.removeEventListener('abort', this.#onAbort);
    this.#parts.leave();
  }
}

function rawHeaders(headers: Headers): string[] {
  const raw: string[] = [];
  for (const [name, value] of Object.entries(headers)) for (const one of [value].flat()) raw.push(name, one);
  return raw;
}

function byName(raw: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = raw[i + 1]!;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}
