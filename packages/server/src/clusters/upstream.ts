/**
 * Upstream: how requests for one cluster reach its kube-apiserver right now. With our own agent the stream is plain HTTP
 * inside the tunnel and the agent adds the credentials; with a foreign agent, and for `local`, the server holds them.
 */
import type { Dialer, Secret } from '@drover/base';
import type { Connection } from '@drover/kube';

export interface Upstream {
  readonly clusterId: string;
  readonly kind: 'agent' | 'foreign-agent' | 'local';
  /** `http://kubernetes` or `https://host:port`. */
  readonly origin: string;
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: Secret;
  /** Sent as Bearer; absent where the agent or the client certificate vouches. */
  readonly token?: Secret;
  readonly dialer?: Dialer;
  /** For people: what is not as it should be with this way, such as that it is the second best. */
  readonly note?: string;
}

export interface Upstreams {
  /** The way to the cluster; throws NotFound when there is no such cluster, ServiceUnavailable (with the cause a person understands) when it is away. Never waits. */
  get(clusterId: string): Upstream;
  /** For controllers: a connection that impersonates the server's own identity in that cluster. */
  connection(clusterId: string): Connection;
  /** Told when a cluster comes, goes or changes its way; ends with the signal. With `only` it is told of that cluster alone. */
  subscribe(listener: (clusterId: string) => void, signal: AbortSignal, only?: string): void;
}

/** The user that the server's controllers impersonate in each cluster; bound to cattle-admin by the import manifest. */
export const controllerUser = 'system:drover:controllers';
