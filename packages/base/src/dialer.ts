/**
 * Dialer: how anything in the house opens a connection. A plain TCP dialer and a tunnel into a cluster are the same
 * to whatever dials: HTTP client, exec, SSH, port-forward.
 */
import type { Duplex } from 'node:stream';

export interface Address {
  /** `tcp` or, inside a cluster's node, `unix` with the socket's path as host. */
  readonly network?: 'tcp' | 'unix';
  readonly host: string;
  readonly port: number;
}

/** Opens a byte stream to the address. Rejects with ServiceUnavailable or Timeout naming what was dialled. */
export type Dialer = (address: Address, options?: { readonly signal?: AbortSignal }) => Promise<Duplex>;
