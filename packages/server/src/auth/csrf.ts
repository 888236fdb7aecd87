/**
 * Cross-site request forgery: a browser that changes something must show, in a header or the query, the value of a cookie
 * that only pages of our own can read. Other clients are not asked: nobody can make them send anything.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { forbidden, invalid } from '@drover/base';
import { readCookie } from './credentials.ts';
import { isBrowser, isCrossSite } from './origin.ts';

export const csrfCookie = 'CSRF';
const harmless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What is being done, after any override of the method in the query. */
export interface CsrfOptions {
  readonly method: string;
  readonly query: URLSearchParams;
}

/** Gives a browser its value where it has none, and throws Invalid (InvalidCSRFToken) where one is needed and not shown. */
export function guardCsrf(request: IncomingMessage, response: ServerResponse, options: CsrfOptions): void {
  if (!isBrowser(request)) return;
  const cookie = readCookie(request.headers.cookie, csrfCookie);
  const usable = cookie !== undefined && /^[0-9a-f]{32,128}$/.test(cookie);
  if (!usable)
    response.appendHeader(
      'set-cookie',
      `${csrfCookie}=${randomBytes(16).toString('hex')}; Path=/; Secure; SameSite=Lax`,
    );
  if (harmless.has(options.method)) return;
  if (isCrossSite(request)) throw forbidden('a page of another site may not change anything here');
  const header = request.headers['x-api-csrf'];
  const shown = typeof header === 'string' ? header : options.query.get('CSRF');
  if (!usable || !shown || !sameText(shown, cookie))
    throw invalid('CSRF', 'must be shown in X-API-CSRF and equal the cookie of that name', 'InvalidCSRFToken');
}

function sameText(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}
