/**
 * What of a client's request reaches a cluster, and what of a cluster's answer reaches the client. Pure, on raw header
 * arrays. What a client claims to be is taken out first; who he is goes in last, and a request without that is never sent.
 */
import { badRequest, internal } from '@drover/base';
import { endToEndHeaders } from '@drover/kube';

export interface OutgoingHeaders {
  /** Impersonate-* headers as `identityHeaders` gives them. */
  readonly identity: readonly (readonly [name: string, value: string])[];
  /** The credentials of a cluster whose agent does not add them. */
  readonly authorization?: string;
  /** The client's address, as the clusters' audit logs show it. */
  readonly remoteAddress?: string;
  /** The host that the client called. */
  readonly host?: string;
}

/** Ours to say or of no use upstream: credentials, who is asking, where from. */
const ours = new Set([
  'authorization',
  'cookie',
  'forwarded',
  'host',
  'x-api-auth-header',
  'x-api-csrf',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
]);
const oursByPrefix = /^(?:impersonate-|x-remote-|x-api-tunnel-)/;
const bearerProtocol = /^base64url\.bearer\.authorization\.k8s\.io\./i;

const isOurs = (name: string): boolean => ours.has(name) || oursByPrefix.test(name);

/** The raw headers to send on. Throws InternalError rather than give a request without an identity. */
export function outgoingHeaders(raw: readonly string[], add: OutgoingHeaders): string[] {
  const headers = endToEndHeaders(raw, isOurs);
  dropBearerProtocols(headers);
  for (let i = 1; i < headers.length; i += 2) {
    if (/[\r\n\0]/.test(headers[i]!)) throw badRequest(`header ${headers[i - 1]} holds a line break`);
  }
  if (add.remoteAddress) headers.push('X-Forwarded-For', add.remoteAddress);
  if (add.host) headers.push('X-Forwarded-Host', add.host);
  headers.push('X-Forwarded-Proto', 'https');
  for (const [name, value] of add.identity) headers.push(name, value);
  if (add.authorization) headers.push('Authorization', add.authorization);
  assertIdentity(headers);
  return headers;
}

/** Fails closed: whoever adds the cluster's credentials would otherwise let the request run with them. */
export function assertIdentity(headers: readonly string[]): void {
  let users = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.length === 16 && headers[i]!.toLowerCase() === 'impersonate-user') users += headers[i + 1] ? 1 : 2;
  }
  if (users !== 1) throw internal('a request without exactly one identity must not be sent to a cluster');
}

/** A browser's way to show a token when it opens a WebSocket: it was for us, and the cluster must not see it. */
function dropBearerProtocols(headers: string[]): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== 'sec-websocket-protocol') continue;
    const kept = headers[i + 1]!.split(',').filter(protocol => !bearerProtocol.test(protocol.trim()));
    headers[i + 1] = kept.join(',').trim();
  }
}

/**
 * Answers share our origin, and pods and services can be asked for pages through here: no cookie of theirs may be set,
 * and no page of theirs may run as ours. Kubernetes' own answers lose nothing by it.
 */
const guarded = new Set(['content-security-policy', 'clear-site-data', 'service-worker-allowed', 'set-cookie']);

export const dropFromAnswer = (name: string): boolean => guarded.has(name);
export const addToAnswer: readonly string[] = [
  'Content-Security-Policy',
  'sandbox',
  'X-Content-Type-Options',
  'nosniff',
];
