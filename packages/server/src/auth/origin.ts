/**
 * Where a browser's request comes from. Credentials that a browser adds by itself (cookies, remembered Basic ones) prove
 * nothing about the page that asked; the Origin header does, and a page can't forge it.
 */
import type { IncomingMessage } from 'node:http';
import { forbidden } from '@drover/base';
import type { Caller } from '../http/exchange.ts';

/** Throws Forbidden for an upgrade that a page of another origin asks for with credentials that the browser added. */
export function requireSameOrigin(
  request: IncomingMessage,
  caller: Pick<Caller, 'via'> | undefined,
  serverUrl?: string,
): void {
  const { origin } = request.headers;
  if (origin === undefined) {
    // Browsers send it on every WebSocket; whatever else calls itself one and doesn't is not to be believed.
    if (caller?.via === 'cookie' && isBrowser(request)) throw forbidden('origin not allowed');
    return;
  }
  if (caller?.via === 'bearer' && !isBrowser(request)) return;
  if (!isOwnOrigin(origin, request.headers.host, serverUrl)) throw forbidden('origin not allowed');
}

/** Whether the browser itself says that another site's page made the request (Fetch Metadata); older ones say nothing. */
export function isCrossSite(request: IncomingMessage): boolean {
  return request.headers['sec-fetch-site'] === 'cross-site';
}

export function isBrowser(request: IncomingMessage): boolean {
  return /mozilla/i.test(request.headers['user-agent'] ?? '');
}

function isOwnOrigin(origin: string, host: string | undefined, serverUrl: string | undefined): boolean {
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  if (from.protocol !== 'https:' && from.protocol !== 'http:') return false;
  if (serverUrl && URL.canParse(serverUrl) && new URL(serverUrl).host === from.host) return true;
  return (
    host !== undefined &&
    URL.canParse(`${from.protocol}//${host}`) &&
    new URL(`${from.protocol}//${host}`).host === from.host
  );
}
