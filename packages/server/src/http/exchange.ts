/**
 * Exchange: one request being answered, and who asks. Handlers get it from the front. A client
 * that goes, or a server that stops, closes the response or the socket: that is all there is to listen to.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { NormanError, Page } from './errors.ts';

/** Somebody who signed in: made by `authenticate` only, from a token that was verified for this very request. */
export interface Caller {
  readonly userId: string;
  readonly username: string;
  /** Group principals as Kubernetes subjects know them, with system:authenticated and system:cattle:authenticated. */
  readonly groups: readonly string[];
  /** What else is impersonated: principalid, username, requesttokenid, requesthost. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
  /** All that he is known by, of whichever provider; clusters know him by his user alone. Absent: what is impersonated. */
  readonly principals?: readonly string[];
  readonly tokenId: string;
  /** The one cluster that the token is for, where it is scoped. */
  readonly clusterId?: string;
  readonly via: 'bearer' | 'basic' | 'cookie';
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The path as it was sent, without the query: never decoded or normalised here. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The query as it was sent, with its `?`, or empty. */
  readonly search: string;
}

/** A connection that asks to become something else (WebSocket, SPDY); whoever takes it owns the socket from then on. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly search: string;
}

/**
 * What answers below a path prefix. The front takes the longest prefix that fits, and signs the caller in first where
 * the route asks for it; an Unauthorized is then answered in the route's own form of error.
 */
export interface Route {
  readonly prefix: string;
  /** Where given, it takes only those paths below its prefix for which this is true, and before the route that takes the others. */
  takes?(path: string): boolean;
  /** `user`: a caller is required. `optional`: given where the credentials are good, undefined where there are none. `none`: never looked at. */
  readonly signIn: 'user' | 'optional' | 'none';
  /** Cookies are not looked at on routes whose answers come from elsewhere but share our origin. */
  readonly cookies?: boolean;
  /** How errors are encoded: v3's form, or Kubernetes' Status. */
  readonly errors: 'norman' | 'status';
  /** An error as a page, for browsers. */
  errorPage?(request: IncomingMessage, error: NormanError): Page | undefined;
  handle(exchange: Exchange, caller: Caller | undefined): Promise<void>;
  upgrade?(upgrade: Upgrade, caller: Caller | undefined): Promise<void>;
}

/** Sees every exchange and upgrade from its beginning to its end, before anything is decided about it; the audit log is one. */
export interface Observer {
  request(request: IncomingMessage, response: ServerResponse): Observed;
  upgrade(request: IncomingMessage, socket: Duplex): Observed;
}

/** What an observer is told of what it sees. */
export interface Observed {
  caller: Caller | undefined;
}

/** Signs a request in. Throws Unauthorized for credentials that are no good; undefined where there are none. */
export type Authenticate = (
  request: IncomingMessage,
  options: { readonly path: string; readonly cookies: boolean },
) => Promise<Caller | undefined>;
