/**
 * Which of a directory's servers is asked: in the order configured, those that failed lately last. All of them are tried before
 * anybody is told that the directory is away.
 */
import { StatusError } from '@drover/base';
import { type Connection, openConnection, ServerDown } from './connection.ts';
import type { DirectorySettings } from './settings.ts';

const restMs = 30_000;

export class Servers {
  readonly #settings: DirectorySettings;
  readonly #restUntil = new Map<string, number>();

  constructor(settings: DirectorySettings) {
    this.#settings = settings;
  }

  /** A connection to the first server that can be reached. Throws Unavailable naming what is wrong with each. */
  async connect(): Promise<Connection> {
    const { servers, name } = this.#settings;
    const now = Date.now();
    const isResting = (host: string) => (this.#restUntil.get(host) ?? 0) > now;
    const order = [...servers.filter(host => !isResting(host)), ...servers.filter(isResting)];
    const failed: ServerDown[] = [];
    for (const host of order) {
      try {
        const connection = await openConnection(this.#settings, host);
        this.#restUntil.delete(host);
        return connection;
      } catch (error) {
        if (!(error instanceof ServerDown)) throw error;
        this.#restUntil.set(host, Date.now() + restMs);
        failed.push(error);
      }
    }
    throw directoryDown(name, failed);
  }
}

/** For who configures it; who only signs in is told less, see `forEverybody`. */
function directoryDown(name: string, failed: readonly ServerDown[]): StatusError {
  const all = failed.map(({ message }) => message).join('; ');
  return new StatusError(503, 'ServiceUnavailable', `sign-in provider "${name}" can't be reached: ${all}`, {
    details: { kind: 'authProvider', name, code: 'ProviderUnavailable' },
    cause: new AggregateError(failed, [...new Set(failed.map(({ why }) => why))].join('; ')),
  });
}

/** The same without the names of servers: what is wrong is no secret, where they are is. */
export function forEverybody(error: unknown): unknown {
  if (!(error instanceof StatusError) || error.status !== 503) return error;
  const { name = 'the directory' } = error.details;
  const why = error.cause instanceof Error && error.cause.message ? `: ${error.cause.message}` : '';
  return new StatusError(503, 'ServiceUnavailable', `sign-in provider "${name}" can't be asked now${why}`, {
    details: error.details,
    cause: error,
  });
}
