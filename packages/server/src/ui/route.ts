/**
 * `/ui`: the web UI. Assets have their digest in their names and are kept for good; every other address is a view of the one page, made
 * with a nonce of its own. It holds nothing of anybody's, so no sign-in stands before it; what it shows it asks for as the user.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { methodNotAllowed, notFound } from '@drover/base';
import type { Exchange, Route } from '../http/exchange.ts';
import type { openUiFiles, UiFile } from './files.ts';

const prefix = '/ui';
const nonceOf = /__NONCE__/g;

export function uiRoute(files: ReturnType<typeof openUiFiles>): Route {
  return {
    prefix,
    signIn: 'none',
    errors: 'norman',
    async handle({ request, response, path, search }: Exchange) {
      const built = files();
      if (!built) throw notFound('web interface: it is not built here', path);
      if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed(request.method ?? '', path);
      if (path === prefix) {
        response.writeHead(302, { location: `${prefix}/${search}`, 'content-length': 0 }).end();
        return;
      }
      const name = path.slice(prefix.length + 1);
      if (!name.startsWith('assets/')) return sendPage(request, response, built.get('index.html')!);
      const file = built.get(name);
      if (!file) throw notFound('path', path);
      sendAsset(request, response, file);
    },
  };
}

function sendAsset(request: IncomingMessage, response: ServerResponse, file: UiFile): void {
  const brotli = /\bbr\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const body = brotli ? file.brotli : file.plain();
  response.writeHead(200, {
    'content-type': file.type,
    'content-length': body.length,
    ...(brotli ? { 'content-encoding': 'br' } : {}),
    vary: 'accept-encoding',
    'cache-control': 'public, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function sendPage(request: IncomingMessage, response: ServerResponse, page: UiFile): void {
  const nonce = randomBytes(16).toString('base64');
  const body = page.plain().toString('utf8').replace(nonceOf, nonce);
  response.writeHead(200, {
    'content-type': page.type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-cache, no-store, must-revalidate',
    'content-security-policy': policyFor(nonce),
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'same-origin',
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/**
 * Nothing runs or is applied but what the page itself brings, and nothing is asked of another host. `self` would not do for scripts:
 * pages of clusters' workloads share our origin through the proxy.
 */
function policyFor(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "img-src 'self' data:",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}
