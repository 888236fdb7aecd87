/**
 * KubeClient: one kube-apiserver, unstructured: resources go in and out as plain JSON. A refusal by the server is the
 * StatusError that the server meant; see Transport for what else can be thrown.
 */
import type { Readable } from 'node:stream';
import { badRequest, internal, messageOf, type Resource, StatusError, timedOut } from '@drover/base';
import type { WebSocket } from 'ws';
import type { Answer } from './ask.ts';
import type { Connection, Impersonation } from './connection.ts';
import { Discovery, type Version } from './discovery.ts';
import type { Headers } from './headers.ts';
import { networkError } from './network-error.ts';
import { type ResourceRef, resourcePath } from './resource-ref.ts';
import { type Method, type Query, readText, Transport } from './transport.ts';
import { openWebSocket, type UpgradeOptions } from './upgrade.ts';
import { type WatchEvent, type WatchOptions, watchResources } from './watch.ts';

export interface KubeClientOptions {
  readonly userAgent?: string;
  /** For plain requests, body included; never for watches and streams. */
  readonly timeoutMs?: number;
  /** The longest answer that is read into memory. */
  readonly maxAnswerBytes?: number;
}

export interface RequestOptions {
  readonly query?: Query;
  /** Encoded as JSON unless it is text or bytes already. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Headers;
  readonly signal?: AbortSignal;
  /** 0 means no deadline. */
  readonly timeoutMs?: number;
  /** Of a request that is told to come later; several unless told. */
  readonly tries?: number;
}

export interface GetOptions {
  readonly namespace?: string;
  readonly subresource?: string;
  readonly resourceVersion?: string;
  readonly signal?: AbortSignal;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  readonly signal?: AbortSignal;
}

export interface List<T extends Resource = Resource> {
  readonly items: T[];
  readonly resourceVersion: string;
  /** Ask for the next page with it; undefined on the last one. */
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface WriteOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface PatchOptions extends WriteOptions {
  readonly type: 'merge' | 'json' | 'strategic' | 'apply';
  readonly namespace?: string;
  /** Takes over fields that another manager owns; server-side apply only. */
  readonly force?: boolean;
  readonly subresource?: string;
}

export interface DeleteOptions {
  readonly namespace?: string;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly gracePeriodSeconds?: number;
  readonly signal?: AbortSignal;
}

const patchTypes: Readonly<Record<PatchOptions['type'], string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

const defaultTimeoutMs = 30_000;
const defaultMaxAnswerBytes = 256 << 20;

export class KubeClient implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #options: KubeClientOptions;
  /** Who asks, where the pool of connections is another client's. */
  readonly #as: Impersonation | undefined;
  #discovery: Discovery | undefined;

  constructor(connection: Connection, options: KubeClientOptions = {}, shared?: Shared) {
    this.#options = options;
    this.#transport = shared?.transport ?? new Transport(connection, options.userAgent ?? 'drover');
    this.#as = shared?.as;
  }

  /** A client that asks as somebody else over this one's connections, without upgrades; it ends with this one. */
  as(impersonate: Impersonation): KubeClient {
    return new KubeClient(this.#transport.connection, this.#options, { transport: this.#transport, as: impersonate });
  }

  /** A client of its own pool that asks as somebody else, with this one's credentials. */
  impersonating(impersonate: Impersonation): KubeClient {
    return new KubeClient({ ...this.#transport.connection, impersonate }, this.#options);
  }

  /** Sends JSON, gives JSON back. `path` starts at the server's own prefix, e.g. `/api/v1/nodes`. */
  async request<T = unknown>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
    const { timeoutMs = this.#options.timeoutMs ?? defaultTimeoutMs, signal } = options;
    const deadline = new AbortController();
    const late = () =>
      deadline.abort(timedOut(`${this.#host} did not answer ${method} ${path} within ${timeoutMs} ms`));
    const onAbort = () => deadline.abort(signal!.reason);
    const timer = timeoutMs > 0 ? setTimeout(late, timeoutMs) : undefined;
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    try {
      deadline.signal.throwIfAborted();
      const answer = await this.#send(method, path, { ...options, signal: deadline.signal });
      return (await this.#readJson(answer, method, path)) as T;
    } catch (error) {
      if (deadline.signal.aborted) throw deadline.signal.reason;
      throw error instanceof StatusError ? error : networkError(this.#host, error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Sends a request and hands over the answer's body unread and unbuffered; the caller must read or destroy it. Has no
   * deadline; an answer of 400 and above is thrown.
   */
  async stream(method: Method, path: string, options: Omit<RequestOptions, 'timeoutMs'> = {}): Promise<Answer> {
    return this.#send(method, path, options);
  }

  async get<T extends Resource>(ref: ResourceRef, name: string, options: GetOptions = {}): Promise<T> {
    const { namespace, subresource, signal, resourceVersion } = options;
    return this.request('GET', resourcePath(ref, { namespace, name, subresource }), {
      query: { resourceVersion },
      signal,
    });
  }

  /** One page of a collection; without `limit` all of it. Without `namespace` all namespaces. */
  async list<T extends Resource>(ref: ResourceRef, options: ListOptions = {}): Promise<List<T>> {
    const { namespace, signal, ...query } = options;
    const answer = await this.request<RawList<T>>('GET', resourcePath(ref, { namespace }), { query, signal });
    const kind = ref.kind ?? answer.kind.replace(/List$/, '');
    return {
      // The items of built-in kinds come without their kind.
      items: (answer.items ?? []).map(item => (item.kind ? item : { ...item, apiVersion: ref.apiVersion, kind })),
      resourceVersion: answer.metadata.resourceVersion ?? '',
      continue: answer.metadata.continue || undefined,
      remainingItemCount: answer.metadata.remainingItemCount,
    };
  }

  /** All items, page after page at one revision. Throws Expired when it takes longer than the server keeps that revision. */
  async *listAll<T extends Resource>(ref: ResourceRef, options: ListOptions = {}): AsyncGenerator<T> {
    let next: string | undefined;
    do {
      const page: List<T> = await this.list(ref, { limit: 500, ...options, continue: next });
      yield* page.items;
      next = page.continue;
    } while (next !== undefined);
  }

  async create<T extends Resource>(ref: ResourceRef, resource: T, options: WriteOptions = {}): Promise<T> {
    const { namespace } = resource.metadata;
    if (ref.namespaced && !namespace) throw badRequest(`a new ${ref.kind ?? ref.resource} needs metadata.namespace`);
    return this.#write('POST', resourcePath(ref, { namespace }), resource, options);
  }

  /** Replaces the object; with metadata.resourceVersion given, throws Conflict when it changed since. */
  async update<T extends Resource>(ref: ResourceRef, resource: T, options: WriteOptions = {}): Promise<T> {
    return this.#write('PUT', resourcePath(ref, resource.metadata), resource, options);
  }

  async updateStatus<T extends Resource>(ref: ResourceRef, resource: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name } = resource.metadata;
    return this.#write('PUT', resourcePath(ref, { namespace, name, subresource: 'status' }), resource, options);
  }

  async patch<T extends Resource>(ref: ResourceRef, name: string, patch: unknown, options: PatchOptions): Promise<T> {
    const { type, namespace, subresource, force } = options;
    const path = resourcePath(ref, { namespace, name, subresource });
    return this.#write('PATCH', path, patch, options, { contentType: patchTypes[type], query: { force } });
  }

  /** Server-side apply; finds the collection by discovery. Throws Conflict where another manager owns a field, unless `force`. */
  async apply<T extends Resource>(
    resource: T,
    options: WriteOptions & { readonly fieldManager: string; readonly force?: boolean },
  ): Promise<T> {
    const { kind, apiVersion, metadata } = resource;
    const ref = await this.find(kind, apiVersion, options);
    return this.patch(ref, metadata.name, resource, { ...options, type: 'apply', namespace: metadata.namespace });
  }

  /** Asks for deletion; the object stays while finalizers hold it. */
  async delete(ref: ResourceRef, name: string, options: DeleteOptions = {}): Promise<unknown> {
    const { namespace, signal, ...body } = options;
    return this.request('DELETE', resourcePath(ref, { namespace, name }), {
      body: { kind: 'DeleteOptions', apiVersion: 'v1', ...body },
      signal,
    });
  }

  watch<T extends Resource>(ref: ResourceRef, options: WatchOptions = {}): AsyncIterable<WatchEvent<T>> {
    return watchResources<T>(this.#sender, ref, options);
  }

  /** What the server serves; read once and again when something is missed. */
  discovery(): Discovery {
    this.#discovery ??= new Discovery(this);
    return this.#discovery;
  }

  /** The collection of a kind; throws NotFound saying what the server does not know. */
  find(kind: string, apiVersion: string, options: { readonly signal?: AbortSignal } = {}): Promise<ResourceRef> {
    return this.discovery().find(kind, apiVersion, options);
  }

  version(options: { readonly signal?: AbortSignal } = {}): Promise<Version> {
    return this.request('GET', '/version', options);
  }

  /** Resolves when the server calls itself ready; throws what it says otherwise. */
  async ready(options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {}): Promise<void> {
    const { body } = await this.stream('GET', '/readyz', {
      signal: options.signal ?? AbortSignal.timeout(options.timeoutMs ?? 5000),
      headers: { accept: '*/*' },
    });
    body.resume();
  }

  /** A WebSocket to exec, attach or portforward; speaks v5.channel.k8s.io unless told otherwise. */
  async upgrade(path: string, options: UpgradeOptions = {}): Promise<WebSocket> {
    this.#requireOwn();
    return openWebSocket(this.#transport, path, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#as) await this.#transport[Symbol.asyncDispose]();
  }

  /** Sends as whoever asks. */
  get #sender(): Pick<Transport, 'send'> {
    return {
      send: (method, path, options) => this.#transport.send(method, path, { ...options, impersonate: this.#as }),
    };
  }

  /** An upgrade would run as whoever the connections belong to. */
  #requireOwn(): void {
    if (this.#as) throw internal('a client that asks as somebody else over shared connections opens no upgraded ones');
  }

  get #host(): string {
    return this.#transport.dialer.url.host;
  }

  #write<T>(
    method: Method,
    path: string,
    body: unknown,
    options: WriteOptions,
    more: { contentType?: string; query?: Query } = {},
  ): Promise<T> {
    const { fieldManager, dryRun, signal } = options;
    const query = { fieldManager, dryRun: dryRun ? 'All' : undefined, ...more.query };
    return this.request(method, path, { body, signal, ...more, query });
  }

  #send(method: Method, path: string, { body, contentType, headers, ...rest }: RequestOptions): Promise<Answer> {
    const raw = typeof body === 'string' || body instanceof Uint8Array || isReadable(body);
    const encoded = raw ? body : body === undefined ? undefined : JSON.stringify(body);
    const type: Headers = encoded === undefined ? {} : { 'content-type': contentType ?? 'application/json' };
    const all = { ...type, ...headers };
    return this.#sender.send(method, path, { ...rest, body: encoded, headers: all });
  }

  async #readJson(answer: Answer, method: Method, path: string): Promise<unknown> {
    const { maxAnswerBytes = defaultMaxAnswerBytes } = this.#options;
    const text = await readText(answer.body, maxAnswerBytes);
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw internal(`${this.#host} answered ${method} ${path} with something that is not JSON: ${messageOf(error)}`);
    }
  }
}

interface Shared {
  readonly transport: Transport;
  readonly as: Impersonation;
}

interface RawList<T> {
  readonly kind: string;
  readonly metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  readonly items?: T[];
}

function isReadable(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && 'pipe' in body && typeof body.pipe === 'function';
}
