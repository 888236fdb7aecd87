/** HostTunnels: the hosts whose agents are connected, to any replica, and the way to run something on one. */
import { unavailable } from '@drover/base';
import { connectRemote, type Executor } from '@drover/engine';
import type { TunnelServer } from '@drover/tunnel';
import { clusterOfHostKey, hostKey } from '../clusters/node-tunnels.ts';

export class HostTunnels {
  readonly #tunnels: Pick<TunnelServer, 'dialer' | 'has'>;
  readonly #listeners = new Set<(clusterId: string) => void>();

  constructor(tunnels: Pick<TunnelServer, 'dialer' | 'has'>) {
    this.#tunnels = tunnels;
  }

  isConnected(clusterId: string, nodeName: string): boolean {
    return this.#tunnels.has(hostKey(clusterId, nodeName));
  }

  /** Throws ServiceUnavailable where its agent is away. */
  connect(clusterId: string, nodeName: string): Executor {
    if (!this.isConnected(clusterId, nodeName))
      throw unavailable(`its agent is not connected (on the host: journalctl -u drover-node-agent)`);
    const dial = this.#tunnels.dialer(hostKey(clusterId, nodeName));
    return connectRemote({ host: nodeName, open: signal => dial({ host: 'engine', port: 80 }, { signal }) });
  }

  /** Says that sessions of this client came or went. */
  changed(clientKey: string): void {
    const clusterId = clusterOfHostKey(clientKey);
    if (clusterId !== undefined) for (const listener of this.#listeners) listener(clusterId);
  }

  subscribe(listener: (clusterId: string) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }
}
