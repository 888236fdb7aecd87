/**
 * A client of the v3 API: JSON in and out, the server's CA pinned, its errors turned into the one error class. Follows
 * the links and actions that the server gives rather than guessing paths.
 */
import { methodNotAllowed, type Reason, StatusError, unauthorized, unavailable } from '@drover/base';
import { type Dispatcher, request } from 'undici';
import type { SavedServer } from './config.ts';
import { say } from './messages.ts';
import { explainNetwork } from './network-errors.ts';
import { agentFor } from './way.ts';

/** A v3 resource as the server shows it. */
export interface V3Resource {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly state?: string;
  readonly links?: Readonly<Record<string, string>>;
  readonly actions?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

interface V3Collection {
  readonly data: readonly V3Resource[];
  readonly pagination?: { readonly next?: string };
}

export interface ClientOptions {
  readonly timeoutMs?: number;
  /** Told of each request for --debug: method, path, status, ms. Never of bodies or credentials. */
  readonly trace?: (line: string) => void;
}

export class Client implements AsyncDisposable {
  readonly url: string;
  readonly #server: SavedServer;
  readonly #agent: Dispatcher;
  readonly #options: ClientOptions;

  constructor(server: SavedServer, options: ClientOptions = {}) {
    this.url = server.url.replace(/\/+$/, '');
    this.#server = server;
    this.#options = options;
    this.#agent = agentFor({ url: this.url, ca: server.ca });
  }

  /** One request; `path` may also be an absolute URL of this same server, such as a link. */
  async request<T>(
    method: Dispatcher.HttpMethod,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const url = new URL(path, `${this.url}/`);
    // A link to another host must not be given our token.
    const target = `${this.url}${url.pathname}${url.search}`;
    const started = performance.now();
    let answer: Dispatcher.ResponseData;
    let text: string;
    try {
      answer = await request(target, {
        method,
        dispatcher: this.#agent,
        headersTimeout: this.#options.timeoutMs ?? 60_000,
        headers: {
          accept: 'application/json',
          'user-agent': 'drover-cli',
          ...(this.#server.token ? { authorization: `Bearer ${this.#server.token}` } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      text = await answer.body.text();
    } catch (cause) {
      throw unavailable(explainNetwork(this.url, cause), { cause });
    }
    this.#options.trace?.(
      `${method} ${url.pathname} ${answer.statusCode} ${Math.round(performance.now() - started)} ms`,
    );
    if (answer.statusCode === 401 && this.#server.token) throw this.#refused();
    if (answer.statusCode >= 400) throw parseV3Error(answer.statusCode, text);
    if (text === '') return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw unavailable(`${this.url} answered something that is not JSON; is it a Drover server?`, { cause });
    }
  }

  /** Our token is not taken: what to do about it depends on where it came from. */
  #refused(): StatusError {
    const fromEnvironment = this.#server.token === process.env['DROVER_TOKEN'];
    return unauthorized(
      fromEnvironment ? `DROVER_TOKEN: ${say('tokenUnknown')}` : say('sessionEnded', { url: this.url }),
    );
  }

  get<T = V3Resource>(path: string): Promise<T> {
    return this.request<T>('GET', path);
  }

  /** All resources of a collection, over all its pages. */
  async list(plural: string, filters: Readonly<Record<string, string>> = {}): Promise<V3Resource[]> {
    const all: V3Resource[] = [];
    let next: string | undefined = `/v3/${plural}?${new URLSearchParams(filters)}`;
    while (next !== undefined) {
      const page: V3Collection = await this.get<V3Collection>(next);
      all.push(...page.data);
      next = page.pagination?.next;
    }
    return all;
  }

  create(plural: string, body: unknown): Promise<V3Resource> {
    return this.request('POST', `/v3/${plural}`, body);
  }

  update(resource: V3Resource, change: unknown): Promise<V3Resource> {
    return this.request('PUT', resource.links?.['self'] ?? `/v3/${resource.type}s/${resource.id}`, change);
  }

  async delete(resource: V3Resource): Promise<void> {
    await this.request('DELETE', resource.links?.['self'] ?? `/v3/${resource.type}s/${resource.id}`);
  }

  /** Runs an action that the resource offers. */
  action<T = V3Resource>(resource: V3Resource, name: string, input: unknown = {}): Promise<T> {
    const url = resource.actions?.[name];
    if (!url) throw methodNotAllowed(name, `${resource.type} ${resource.id}`);
    return this.request<T>('POST', url, input);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}

const reasons: Readonly<Record<number, Reason>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  413: 'RequestEntityTooLarge',
  422: 'Invalid',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
};

/** Reads v3's error body, or a Kubernetes Status; anything else gives its first line. */
export function parseV3Error(status: number, text: string): StatusError {
  const reason = reasons[status] ?? (status >= 500 ? 'InternalError' : 'BadRequest');
  try {
    const body = JSON.parse(text) as { message?: string; code?: string; fieldName?: string };
    const message = body.message || (typeof body.code === 'string' ? body.code : `status ${status}`);
    return new StatusError(status, reason, message, {
      details: { field: body.fieldName, code: typeof body.code === 'string' ? body.code : undefined },
    });
  } catch {
    return new StatusError(status, reason, text.split('\n')[0]?.slice(0, 200) || `status ${status}`);
  }
}
