/**
 * ForwardTarget: where requests that arrive here are sent on to: a pool of connections to one kube-apiserver, bounded.
 * Idle connections are kept for less time than a kube-apiserver keeps them, so that a request seldom meets a closing one.
 */
import { tooManyRequests } from '@drover/base';
import { Pool } from 'undici';
import type { Connection } from './connection.ts';
import { ServerDialer } from './dial.ts';
import { networkError } from './network-error.ts';

const defaultConnections = 2048;
/** A kube-apiserver closes an idle connection after 90 s. */
const keepIdleMs = 60_000;

export class ForwardTarget implements AsyncDisposable {
  readonly dialer: ServerDialer;
  readonly pool: Pool;
  /** How it is called in messages to people. */
  readonly name: string;
  readonly #limit: number;
  readonly #closed = new AbortController();
  #running = 0;

  constructor(connection: Connection, name: string) {
    this.name = name;
    this.#limit = connection.connections ?? defaultConnections;
    this.dialer = new ServerDialer(connection);
    this.pool = new Pool(this.dialer.url.origin, {
      connections: this.#limit,
      allowH2: false,
      pipelining: 1,
      // Quiet watches and slow uploads may take as long as they like.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keepIdleMs,
      keepAliveMaxTimeout: keepIdleMs,
      connect: (_options, callback) => {
        this.dialer.dial(this.#closed.signal).then(
          // undici asks little more of the stream than a Duplex has; tunnels give just that.
          stream => callback(null, stream as never),
          error => callback(error, null),
        );
      },
    });
  }

  /** Requests being forwarded, upgraded ones included. */
  get running(): number {
    return this.#running;
  }

  /** Counts one more; throws TooManyRequests where the bound is reached. Give it back with `leave`. */
  enter(): void {
    if (this.#running >= this.#limit)
      throw tooManyRequests(`${this.name} has ${this.#limit} requests open already; try again later`, 1);
    this.#running++;
  }

  leave(): void {
    this.#running--;
  }

  /** Takes no more requests; those that run go on. */
  retire(): void {
    void this.pool.close();
  }

  /** Cuts everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(networkError(this.name, new Error('it is being closed')));
    await this.pool.destroy();
  }
}
