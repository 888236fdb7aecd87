/**
 * Connection: how to reach one kube-apiserver and who to be there. Plain data, made from a kubeconfig, from a pod's
 * service account, or by whoever holds a tunnel into the cluster.
 */
import type { Dialer, Secret } from '@drover/base';

/** Who a request is made as; the real credentials need the `impersonate` verb for every part given. */
export interface Impersonation {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  readonly uid?: string;
}

export interface ClientIdentity {
  readonly cert: string;
  readonly key: Secret;
}

/** Gives the bearer token for one request. `rejected` is the token just answered with 401: it must not come back from a cache. */
export type TokenSource = (options?: { readonly rejected?: Secret }) => Promise<Secret | undefined>;

export interface Connection {
  /** `https://host:port[/prefix]`, or `http://` over a stream that is private already, such as a tunnel to our agent. */
  readonly server: string;
  /** PEM; absent means the system's own authorities. */
  readonly ca?: string;
  readonly insecureSkipTlsVerify?: boolean;
  /** Name that the server's certificate must carry, where it is not the host that is dialled. */
  readonly serverName?: string;
  /** Asked before every request, since token files rotate and exec plugins renew. */
  readonly token?: Secret | TokenSource;
  readonly clientCert?: string;
  readonly clientKey?: Secret;
  /** Asked for every new connection; wins over clientCert and clientKey (exec plugins may issue short-lived ones). */
  readonly clientIdentity?: () => Promise<ClientIdentity | undefined>;
  readonly username?: string;
  readonly password?: Secret;
  readonly impersonate?: Impersonation;
  /** Everything is dialled through it, e.g. into a tunnel. */
  readonly dialer?: Dialer;
  /** `http://`, `https://` or `socks5://` proxy; ignored when there is a dialer. */
  readonly proxyUrl?: string;
  /** Most parallel connections for plain requests; open watches and streams take one each. Absent: unbounded. */
  readonly connections?: number;
}
