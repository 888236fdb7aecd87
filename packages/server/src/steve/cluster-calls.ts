/**
 * ClusterCalls: requests to one cluster as one person, over connections that all share. No way leads past the identity: a request
 * that names nobody is not made.
 */
import { internal, timedOut } from '@drover/base';
import { KubeClient, type Method, type Query } from '@drover/kube';
import { type Identity, identityHeaders } from '../auth/index.ts';
import type { Upstream } from '../clusters/upstream.ts';
import { type Listed, readTable, tableAccept } from './cache/table-bytes.ts';
import { readBytes } from './type-cache.ts';

export interface Call {
  readonly query?: Query;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
}

export interface Told {
  readonly bytes: Uint8Array;
  /** What the cluster warns of, as `Warning` headers. */
  readonly warnings: readonly string[];
}

const timeoutMs = 30_000;
const maxAnswerBytes = 64 << 20;

export class ClusterCalls implements AsyncDisposable {
  readonly #client: KubeClient;

  constructor({ origin, ca, clientCert, clientKey, token, dialer }: Upstream) {
    this.#client = new KubeClient({ server: origin, ca, clientCert, clientKey, token, dialer, connections: 128 });
  }

  async ask(identity: Identity, method: Method, path: string, call: Call = {}): Promise<Told> {
    const headers: Record<string, string | string[]> = { accept: call.accept ?? 'application/json' };
    for (const [name, value] of identityHeaders(identity)) {
      const before = headers[name];
      headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
    }
    if (!headers['Impersonate-User']) throw internal('a request without an identity must not be sent to a cluster');
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(timedOut(`the cluster did not answer ${method} ${path} in time`)),
      timeoutMs,
    );
    try {
      const { query, body, contentType } = call;
      const answer = await this.#client.stream(method, path, {
        query,
        body,
        contentType,
        headers,
        signal: late.signal,
      });
      const bytes = await readBytes(answer.body, maxAnswerBytes);
      if (!bytes) throw internal(`the cluster's answer to ${method} ${path} is larger than ${maxAnswerBytes} bytes`);
      const warning = answer.headers['warning'];
      return { bytes, warnings: warning === undefined ? [] : Array.isArray(warning) ? warning : [warning] };
    } finally {
      clearTimeout(timer);
    }
  }

  async json(identity: Identity, method: Method, path: string, call: Call = {}): Promise<unknown> {
    const { bytes } = await this.ask(identity, method, path, call);
    return bytes.length === 0 ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'));
  }

  /** Objects with the cells of their printer columns. */
  async table(
    identity: Identity,
    method: Method,
    path: string,
    call: Call = {},
  ): Promise<Listed & Pick<Told, 'warnings'>> {
    const query = { ...call.query, includeObject: 'Object' };
    const { bytes, warnings } = await this.ask(identity, method, path, { ...call, query, accept: tableAccept });
    return { ...readTable(bytes), warnings };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
