/**
 * ForwardTarget: where requests that arrive here are sent on to: connections to one kube-apiserver, bounded and kept.
 * Idle connections are kept for less time than a kube-apiserver keeps them, so that a request seldom meets a closing one.
 */
import { anySignal, tooManyRequests } from '@drover/base';
import type { Connection } from './connection.ts';
import { ServerDialer } from './dial.ts';
import { ForwardConnection } from './forward-connection.ts';
import { networkError } from './network-error.ts';

const defaultConnections = 2048;
/** A kube-apiserver closes an idle connection after 90 s. */
const keepIdleMs = 60_000;

export class ForwardTarget implements AsyncDisposable {
  readonly dialer: ServerDialer;
  /** How it is called in messages to people. */
  readonly name: string;
  readonly #limit: number;
  readonly #closed = new AbortController();
  readonly #connections = new Set<ForwardConnection>();
  /** With the time since when, the one used last at the end. */
  #idle: { readonly connection: ForwardConnection; readonly since: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #waiting: (() => void)[] = [];
  #retired = false;
  #running = 0;
  readonly #on = {
    onIdle: (connection: ForwardConnection) => this.put(connection),
    onGone: (connection: ForwardConnection) => this.#forget(connection),
  };

  constructor(connection: Connection, name: string) {
    this.name = name;
    this.#limit = connection.connections ?? defaultConnections;
    this.dialer = new ServerDialer(connection);
    this.#timer = setInterval(() => this.#closeIdle(performance.now() - keepIdleMs), keepIdleMs / 4).unref();
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

  /** As `enter`, but waits where the bound is reached; whoever came first goes first. Rejects with the signal's reason. */
  turn(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#running < this.#limit) {
      this.#running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onTurn = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(onTurn), 1);
        reject(signal!.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(onTurn);
    });
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }

  /** A kept connection that nobody uses. */
  take(): ForwardConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop()?.connection;
      if (!connection || connection.usable) return connection;
      connection.destroy();
    }
  }

  /** Opens a connection. Rejects with ServiceUnavailable or Timeout naming the server. */
  async connect(signal?: AbortSignal): Promise<ForwardConnection> {
    const stream = await this.dialer.dial(anySignal(signal, this.#closed.signal));
    const connection = new ForwardConnection(stream, this.#on);
    if (!stream.destroyed) this.#connections.add(connection);
    if (this.#closed.signal.aborted) connection.destroy(this.#closed.signal.reason);
    return connection;
  }

  /** Gives back a connection that was not used. */
  put(connection: ForwardConnection): void {
    if (this.#retired || !connection.usable) connection.destroy();
    else this.#idle.push({ connection, since: performance.now() });
  }

  /** Takes no more requests; those that run go on. */
  retire(): void {
    this.#retired = true;
    clearInterval(this.#timer);
    this.#closeIdle(Number.POSITIVE_INFINITY);
  }

  /** Cuts everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.retire();
    this.#closed.abort(networkError(this.name, new Error('it is being closed')));
    for (const connection of [...this.#connections]) connection.destroy(this.#closed.signal.reason);
  }

  #forget(connection: ForwardConnection): void {
    this.#connections.delete(connection);
    const at = this.#idle.findIndex(idle => idle.connection === connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  #closeIdle(before: number): void {
    const old = this.#idle.filter(({ since }) => since <= before);
    this.#idle = this.#idle.filter(({ since }) => since > before);
    for (const { connection } of old) connection.destroy();
  }
}
