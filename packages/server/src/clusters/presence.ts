/**
 * Presence: which agents are connected, and when and why those that are not went. Kept in memory: after a restart every
 * agent counts as not yet back.
 */

export interface Left {
  readonly atMs: number;
  /** For people, e.g. `its agent ended the connection`. */
  readonly cause: string;
}

export class Presence {
  readonly #live = new Map<string, number>();
  readonly #left = new Map<string, Left>();
  readonly #causes = new Map<string, string>();
  readonly #listeners = new Set<(clusterId: string) => void>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** How many tunnels the cluster's agent has open now; told by whoever holds them. */
  set(clusterId: string, live: number): void {
    const before = this.#live.get(clusterId) ?? 0;
    if (live > 0) {
      this.#live.set(clusterId, live);
      this.#left.delete(clusterId);
    } else if (before > 0) {
      this.#live.delete(clusterId);
      const cause = this.#causes.get(clusterId) ?? 'the connection to its agent ended';
      this.#left.set(clusterId, { atMs: this.#now(), cause });
    }
    this.#causes.delete(clusterId);
    if (before > 0 !== live > 0) for (const listener of this.#listeners) listener(clusterId);
  }

  /** Why the next departure will have happened, where that is known beforehand. */
  expect(clusterId: string, cause: string): void {
    this.#causes.set(clusterId, cause);
  }

  /** When and why the agent went; undefined while it is here, or was never seen by this process. */
  left(clusterId: string): Left | undefined {
    return this.#left.get(clusterId);
  }

  forget(clusterId: string): void {
    this.#left.delete(clusterId);
    this.#causes.delete(clusterId);
  }

  subscribe(listener: (clusterId: string) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }
}

/** A span of time as people say it: `12 s ago`, `3 min ago`, `2 h ago`, `5 d ago`. */
export function agoText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}
