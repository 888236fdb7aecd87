/**
 * NodeTunnels: which clusters have agents on their nodes connected now. They are a second way into a cluster whose own agent is
 * away: one of them is kept to for as long as it is there.
 */
import { createHash } from 'node:crypto';

/** The key of a node's tunnel. Node names may be longer than keys, and a cluster's id has no `:`. */
export function nodeKey(clusterId: string, nodeName: string): string {
  return `${clusterId}:${createHash('sha256').update(nodeName).digest('hex').slice(0, 16)}`;
}

/** The key of the tunnel by which a host is worked on, whether it is a node yet or not. */
export function hostKey(clusterId: string, nodeName: string): string {
  return `host-${nodeKey(clusterId, nodeName)}`;
}

/** The cluster that a host's key is of; undefined for the key of anything else. */
export function clusterOfHostKey(clientKey: string): string | undefined {
  return clientKey.startsWith('host-') ? clientKey.slice('host-'.length, clientKey.indexOf(':')) : undefined;
}

/** The cluster that a node's key is of; undefined for the key of anything else. */
export function clusterOfNodeKey(clientKey: string): string | undefined {
  if (clientKey.startsWith('host-')) return undefined;
  const colon = clientKey.indexOf(':');
  return colon < 0 ? undefined : clientKey.slice(0, colon);
}

export class NodeTunnels {
  readonly #live = new Map<string, Set<string>>();
  readonly #listeners = new Set<(clusterId: string) => void>();

  /** Says whether the node's agent is here now. */
  set(clientKey: string, here: boolean): void {
    const clusterId = clusterOfNodeKey(clientKey);
    if (clusterId === undefined) return;
    const before = this.pick(clusterId);
    const live = this.#live.get(clusterId) ?? new Set();
    if (here) this.#live.set(clusterId, live.add(clientKey));
    else if (live.delete(clientKey) && live.size === 0) this.#live.delete(clusterId);
    if (this.pick(clusterId) !== before) for (const listener of this.#listeners) listener(clusterId);
  }

  /** The key of the node to go through: the one that has been here longest. */
  pick(clusterId: string): string | undefined {
    return this.#live.get(clusterId)?.values().next().value;
  }

  keysOf(clusterId: string): readonly string[] {
    return [...(this.#live.get(clusterId) ?? [])];
  }

  /** Told when another node is to be gone through, or none, or one again. */
  subscribe(listener: (clusterId: string) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }
}
