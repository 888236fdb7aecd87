/**
 * Calls to an etcd cluster: several endpoints, one in use at a time, the next one when it is away; TLS, sign-in by name and
 * password with renewal. A write that may have been taken up is never sent twice.
 */

import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { backoffMs, invalid, type Secret, sleep, unavailable } from '@drover/base';
import {
  type ChannelCredentials,
  type Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { etcdError, isAway, isServiceError, needsSignIn, wasNotTaken } from './errors.ts';
import { type ServiceName, serviceClass } from './messages.ts';
import { whyAway } from './probe.ts';

export interface EtcdTls {
  /** PEM. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Secret;
}

export interface EtcdConnection {
  /** `http://host:port` or `https://host:port`; without a scheme: TLS if `tls` is given. */
  readonly endpoints: readonly string[];
  readonly tls?: EtcdTls;
  readonly username?: string;
  readonly password?: Secret;
  readonly requestTimeoutMs?: number;
}

type Unary = (request: object, metadata: Metadata, options: { deadline: number }, done: Done) => void;
type Done = (error: ServiceError | null, answer?: unknown) => void;
interface Endpoint {
  /** With its port. */
  readonly address: string;
  readonly host: string;
  readonly secure: boolean;
}

type Clients = Readonly<Record<ServiceName, Client & Record<string, unknown>>>;

/** Room for a watch response of the largest transaction with what it replaced, many times over. */
const maxMessageBytes = 64 * 1024 * 1024;

export class EtcdRpc {
  readonly #connection: EtcdConnection;
  readonly #endpoints: readonly (Endpoint & { clients: Clients | undefined })[];
  readonly #credentials: ChannelCredentials[];
  #at = 0;
  #token: Promise<string | undefined> | undefined;
  #closed = false;

  constructor(connection: EtcdConnection) {
    const { endpoints, tls } = connection;
    if (endpoints.length === 0)
      throw invalid('--store', 'must name at least one etcd endpoint, e.g. https://10.0.0.1:2379');
    this.#connection = connection;
    const parsed = endpoints.map(endpoint => parseEndpoint(endpoint, tls !== undefined));
    this.#endpoints = parsed.map(endpoint => ({ ...endpoint, clients: undefined }));
    this.#credentials = parsed.map(({ secure, host }) => {
      if (!secure) return credentials.createInsecure();
      const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
      return credentials.createSsl(pem(tls?.ca), pem(tls?.key?.reveal()), pem(tls?.cert), {
        checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
      });
    });
  }

  get timeoutMs(): number {
    return this.#connection.requestTimeoutMs ?? 5000;
  }

  /**
   * One request and its answer. `write` says that sending it twice could do it twice: it is then repeated only when etcd says
   * that it was not taken up, and otherwise fails with ServiceUnavailable or Timeout, which mean "perhaps".
   */
  async call<T>(service: ServiceName, method: string, request: object, options: { write?: boolean } = {}): Promise<T> {
    const began = performance.now();
    let signedIn = false;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const metadata = await this.#metadata();
        await this.#ready();
        return (await this.#once(service, method, { request, metadata })) as T;
      } catch (error) {
        if (!isServiceError(error)) throw error;
        if (needsSignIn(error) && this.#connection.username !== undefined && !signedIn) {
          this.#token = undefined;
          signedIn = true;
          continue;
        }
        const again = options.write ? wasNotTaken(error) : isAway(error);
        if (isAway(error)) this.#next();
        if (!again || performance.now() - began > this.timeoutMs || this.#closed) throw etcdError(error);
        await sleep(backoffMs(attempt, { minMs: 20, maxMs: 500 }));
      }
    }
  }

  /** A stream to the endpoint in use; `away()` when it broke, so that the next one goes elsewhere. */
  async stream(service: 'Watch' | 'Lease', method: string): Promise<ClientDuplexStream<object, unknown>> {
    const metadata = await this.#metadata();
    const client = this.#clients()[service];
    return (client[method] as (metadata: Metadata) => ClientDuplexStream<object, unknown>).call(client, metadata);
  }

  /** A stream ended with the error: the next call goes to another endpoint, or signs in again, as the error demands. */
  away(error: unknown): void {
    if (!isServiceError(error)) return;
    if (needsSignIn(error)) this.#token = undefined;
    else this.#next();
  }

  close(): void {
    this.#closed = true;
    for (const { clients } of this.#endpoints) for (const client of Object.values(clients ?? {})) client.close();
  }

  #next(): void {
    this.#at = (this.#at + 1) % this.#endpoints.length;
  }

  #clients(): Clients {
    if (this.#closed) throw unavailable('the store was closed');
    const endpoint = this.#endpoints[this.#at]!;
    const of = (name: ServiceName) =>
      new (serviceClass(name))(endpoint.address, this.#credentials[this.#at]!, {
        'grpc.max_receive_message_length': maxMessageBytes,
        'grpc.max_send_message_length': -1,
        'grpc.keepalive_time_ms': 10_000,
        'grpc.keepalive_timeout_ms': 5000,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 2000,
        'grpc.enable_retries': 0,
        // Node takes no address as server name, which grpc-js would send; the certificate is checked against the real host all the same.
        ...(isIP(endpoint.host) ? { 'grpc.ssl_target_name_override': 'etcd' } : {}),
      }) as unknown as Clients[ServiceName];
    endpoint.clients ??= {
      KV: of('KV'),
      Watch: of('Watch'),
      Lease: of('Lease'),
      Auth: of('Auth'),
      Maintenance: of('Maintenance'),
    };
    return endpoint.clients;
  }

  /** Finds an endpoint that is connected before anything is sent, so that an absent one costs a move and not an unknown outcome. */
  async #ready(): Promise<void> {
    for (let tried = 0; ; tried += 1) {
      const client = this.#clients().KV;
      const deadline = Date.now() + (this.#endpoints.length > 1 ? 1000 : this.timeoutMs);
      const error = await new Promise<Error | undefined>(resolve => client.waitForReady(deadline, resolve));
      if (!error) return;
      if (tried + 1 >= this.#endpoints.length) {
        const addresses = this.#endpoints.map(({ address }) => address).join(', ');
        throw unavailable(`etcd: none of ${addresses} can be reached: ${await this.#whyAway()}`, { cause: error });
      }
      this.#next();
    }
  }

  #whyAway(): Promise<string> {
    const { host, address, secure } = this.#endpoints[this.#at]!;
    const port = Number(address.slice(address.lastIndexOf(':') + 1));
    const tls = secure ? (this.#connection.tls ?? {}) : undefined;
    return whyAway({ host, port, tls, timeoutMs: 1000 });
  }

  #once(service: ServiceName, method: string, call: { request: object; metadata: Metadata }): Promise<unknown> {
    const client = this.#clients()[service];
    return new Promise((resolve, reject) => {
      (client[method] as Unary).call(
        client,
        call.request,
        call.metadata,
        { deadline: Date.now() + this.timeoutMs },
        (error, answer) => (error ? reject(error) : resolve(answer)),
      );
    });
  }

  async #metadata(): Promise<Metadata> {
    const metadata = new Metadata();
    // A member that has lost its cluster refuses at once instead of holding the call.
    metadata.set('hasleader', 'true');
    const { username, password } = this.#connection;
    if (username === undefined) return metadata;
    this.#token ??= this.#signIn(username, password?.reveal() ?? '');
    try {
      const token = await this.#token;
      if (token) metadata.set('token', token);
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
    return metadata;
  }

  async #signIn(name: string, password: string): Promise<string | undefined> {
    try {
      const answer = await this.#once('Auth', 'Authenticate', {
        request: { name, password },
        metadata: new Metadata(),
      });
      return (answer as { token: string }).token;
    } catch (error) {
      // A cluster without users takes everybody, as etcd's own client does.
      if (isServiceError(error) && error.code === status.FAILED_PRECONDITION && error.details.includes('not enabled'))
        return undefined;
      throw isServiceError(error) && error.code === status.INVALID_ARGUMENT ? etcdError(error) : error;
    }
  }
}

function parseEndpoint(endpoint: string, tls: boolean): Endpoint {
  const match = /^(?:(https?):\/\/)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})\/?$/.exec(endpoint);
  if (!match) throw invalid('--store', `must name etcd endpoints as https://host:port, not ${endpoint}`);
  const host = match[2]!.replace(/^\[|\]$/g, '');
  return { address: match[2]! + match[3]!, host, secure: match[1] ? match[1] === 'https' : tls };
}
