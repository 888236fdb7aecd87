/**
 * One pool of connections to one kube-apiserver: sends a request with credentials on it and gives the answer's bytes
 * unread. A 401 renews the token once, a 429 or 5xx with Retry-After is waited for, as client-go does.
 */
import type { Readable } from 'node:stream';
import { anySignal, parseStatus, type Secret, sleep } from '@drover/base';
import { type Answer, ask } from './ask.ts';
import type { Connection, Impersonation } from './connection.ts';
import { parseServer, type ServerDialer } from './dial.ts';
import { ForwardTarget } from './forward-target.ts';
import { authorization, type Headers, impersonationHeaders } from './headers.ts';
import { isStaleConnection, networkError } from './network-error.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface SendOptions {
  readonly query?: Query;
  readonly headers?: Headers;
  /** A string or bytes can be sent again; a stream makes the request a single try. */
  readonly body?: string | Uint8Array | Readable;
  readonly signal?: AbortSignal;
  /** Who this one request is made as, in place of the connection's own. */
  readonly impersonate?: Impersonation;
  /** At most so many; 1 for who has something better to do than to wait. */
  readonly tries?: number;
}

const maxTries = 6;
const maxErrorBytes = 1 << 20;

export class Transport implements AsyncDisposable {
  readonly connection: Connection;
  readonly dialer: ServerDialer;
  readonly #target: ForwardTarget;
  readonly #userAgent: string;
  readonly #closed = new AbortController();

  constructor(connection: Connection, userAgent: string) {
    this.connection = connection;
    this.#userAgent = userAgent;
    this.#target = new ForwardTarget(connection, parseServer(connection.server).host);
    this.dialer = this.#target.dialer;
  }

  /**
   * Sends a request and gives the answer with its body unread. An answer of 400 and above is thrown as the StatusError
   * that its body tells; a failure below HTTP as ServiceUnavailable or Timeout; an abort as the signal's reason.
   */
  async send(method: Method, path: string, options: SendOptions = {}): Promise<Answer> {
    const single = options.body !== undefined && typeof options.body !== 'string' && 'pipe' in options.body;
    let rejected: Secret | undefined;
    for (let attempt = 1; ; attempt++) {
      const auth = await authorization(this.connection, rejected);
      const answer = await this.#once(method, path, options, auth?.header, attempt === 1 && !single);
      if (answer.status < 400) return answer;
      const body = await readText(answer.body, maxErrorBytes).catch(() => '');
      const retryAfterMs = (Number(answer.headers['retry-after']) || 0) * 1000;
      const last = single || attempt >= (options.tries ?? maxTries);
      if (answer.status === 401 && auth?.token && typeof this.connection.token === 'function' && !rejected && !last) {
        rejected = auth.token;
      } else if ((answer.status === 429 || answer.status >= 500) && retryAfterMs > 0 && !last) {
        await sleep(Math.min(retryAfterMs, 30_000), options.signal);
      } else {
        throw parseStatus(answer.status, body);
      }
    }
  }

  async #once(
    method: Method,
    path: string,
    options: SendOptions,
    auth: string | undefined,
    mayRepeat: boolean,
  ): Promise<Answer> {
    const { signal, impersonate = this.connection.impersonate } = options;
    const headers: Headers = { accept: 'application/json', 'user-agent': this.#userAgent, ...options.headers };
    if (impersonate) Object.assign(headers, impersonationHeaders(impersonate));
    if (auth) headers['authorization'] = auth;
    try {
      const { body } = options;
      return await ask(this.#target, { method, path: this.pathOf(path, options.query), headers, body, signal });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const repeatable = mayRepeat && (method === 'GET' || method === 'HEAD');
      if (repeatable && isStaleConnection(error)) return this.#once(method, path, options, auth, false);
      throw networkError(this.dialer.url.host, error);
    }
  }

  /** The path on the server: its URL's own prefix, the path, the query. */
  pathOf(path: string, query?: Query): string {
    const prefix = this.dialer.url.pathname.replace(/\/+$/, '');
    const search = query ? formatQuery(query) : '';
    return `${prefix}${path}${search && (path.includes('?') ? '&' : '?')}${search}`;
  }

  /** A stream of its own to the server, for upgrades; ends with this transport. */
  dial(signal?: AbortSignal) {
    return this.dialer.dial(anySignal(signal, this.#closed.signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(networkError(this.dialer.url.host, new Error('this client is closed')));
    await this.#target[Symbol.asyncDispose]();
  }
}

export function formatQuery(query: Query): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(key, String(one));
  }
  return params.toString();
}

/** The whole of a stream as text; throws when it is longer than `maxBytes`. */
export async function readText(body: Readable, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) {
      body.destroy();
      throw new RangeError(`longer than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString('utf8');
}
