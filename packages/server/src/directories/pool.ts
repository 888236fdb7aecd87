/**
 * The service account's connections: a few, bound, kept for a minute and shared by all that look something up. One that its server
 * ended while it was idle is replaced, and the question asked again. Nobody else is ever bound on them.
 */
import { StatusError, tooManyRequests } from '@drover/base';
import { InvalidCredentialsError, ResultCodeError } from 'ldapts';
import { type Connection, ServerDown, whyOf } from './connection.ts';
import { Servers } from './servers.ts';
import type { DirectorySettings } from './settings.ts';

const mostConnections = 6;
const mostWaiting = 200;
const idleMs = 60_000;

interface Idle {
  readonly connection: Connection;
  readonly timer: NodeJS.Timeout;
}

export class DirectoryPool {
  readonly settings: DirectorySettings;
  readonly #servers: Servers;
  readonly #idle: Idle[] = [];
  readonly #waiting: (() => void)[] = [];
  #used = 0;
  #isClosed = false;

  constructor(settings: DirectorySettings) {
    this.settings = settings;
    this.#servers = new Servers(settings);
  }

  /** As the service account. Throws Unavailable where no server can be asked, or none takes the account. */
  async withAccount<T>(ask: (connection: Connection) => Promise<T>): Promise<T> {
    await this.#take();
    try {
      const kept = this.#reuse();
      if (kept) {
        try {
          return await this.#run(kept, ask);
        } catch (error) {
          // Whether it was over before we asked can't be told: what was asked only reads, so it is asked again.
          if (kept.isGood() || !isBroken(error)) throw error;
        }
      }
      return await this.#run(await this.#bound(), ask);
    } catch (error) {
      throw this.#told(error);
    } finally {
      this.#give();
    }
  }

  /** On a connection of its own, bound as nobody yet; it ends with the work. */
  async withOwn<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    await this.#take();
    let connection: Connection | undefined;
    try {
      connection = await this.#servers.connect();
      return await work(connection);
    } catch (error) {
      throw this.#told(error, connection);
    } finally {
      connection?.close();
      this.#give();
    }
  }

  /** Ends what is idle now; what is in use ends when it is given back. */
  close(): void {
    this.#isClosed = true;
    for (const { connection, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      connection.close();
    }
  }

  async #bound(): Promise<Connection> {
    const connection = await this.#servers.connect();
    const { account, name, defaultDomain } = this.settings;
    try {
      await connection.client.bind(accountName(account.name, defaultDomain), account.password.reveal());
      return connection;
    } catch (error) {
      connection.close();
      if (!(error instanceof InvalidCredentialsError)) throw this.#told(error, connection);
      const message = `sign-in provider "${name}": ${connection.server} does not take the service account's name and password`;
      throw new StatusError(503, 'ServiceUnavailable', message, {
        details: { kind: 'authProvider', name, code: 'ServiceAccountRefused' },
        cause: new Error('it does not take the service account'),
      });
    }
  }

  async #run<T>(connection: Connection, ask: (connection: Connection) => Promise<T>): Promise<T> {
    connection.idle(false);
    let keep = true;
    try {
      return await ask(connection);
    } catch (error) {
      keep = !isBroken(error);
      throw error;
    } finally {
      if (keep && connection.isGood() && !this.#isClosed) this.#keep(connection);
      else connection.close();
    }
  }

  #keep(connection: Connection): void {
    connection.idle(true);
    const idle: Idle = {
      connection,
      timer: setTimeout(() => {
        this.#idle.splice(this.#idle.indexOf(idle), 1);
        connection.close();
      }, idleMs).unref(),
    };
    this.#idle.push(idle);
  }

  #reuse(): Connection | undefined {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (idle.connection.isGood()) return idle.connection;
      idle.connection.close();
    }
    return undefined;
  }

  async #take(): Promise<void> {
    if (this.#used < mostConnections) {
      this.#used++;
      return;
    }
    if (this.#waiting.length >= mostWaiting)
      throw tooManyRequests(`sign-in provider "${this.settings.name}" is asked by too many at once`, 5);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    const timer = setTimeout(() => {
      const at = this.#waiting.indexOf(resolve);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      reject(tooManyRequests(`sign-in provider "${this.settings.name}" is asked by too many at once`, 5));
    }, this.settings.requestTimeoutMs);
    await promise.finally(() => clearTimeout(timer));
  }

  /** The place goes to who waits longest. */
  #give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#used--;
  }

  /** Failures of the way, and refusals that nobody expected, as what they are to us. */
  #told(error: unknown, connection?: Connection): unknown {
    if (error instanceof StatusError) return error;
    const down = new ServerDown(connection?.server ?? this.settings.servers.join(', '), whyOf(error), error);
    return new StatusError(503, 'ServiceUnavailable', `sign-in provider "${this.settings.name}": ${down.message}`, {
      details: { kind: 'authProvider', name: this.settings.name, code: 'ProviderUnavailable' },
      cause: new Error(down.why),
    });
  }
}

/** `DOMAIN\name` where no domain is in it; a distinguished name is none's. */
export function accountName(name: string, domain: string | undefined): string {
  return domain === undefined || /[\\@=]/.test(name) ? name : `${domain}\\${name}`;
}

/** Of the connection rather than of the question: an answer with a code is an answer. */
const isBroken = (error: unknown): boolean => !(error instanceof ResultCodeError) && !(error instanceof StatusError);
