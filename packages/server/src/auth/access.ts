/**
 * Access: who may do what on this server, decided in memory from the cached bindings. One answer for every door: v3, v1,
 * proxy, subscribe, shell.
 */
import type { TypeId } from '@drover/api';
import type { Caller } from '../http/exchange.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | (string & {});

export interface Access {
  /** Whether the caller may do this to the type, in the namespace (a cluster's or project's id), to the one of that name. */
  may(
    caller: Caller,
    verb: Verb,
    type: TypeId,
    place?: { readonly namespace?: string; readonly name?: string },
  ): boolean;
  /** Whether the caller is a member of the cluster in any role, or an admin: the door of the proxy. */
  mayReach(caller: Caller, clusterId: string): boolean;
  isAdmin(caller: Caller): boolean;
}
