/**
 * The style and the script of the pages, and the route that serves them. Their paths hold a digest of what they are, so that
 * browsers keep them for good and never have one that is out of date.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { methodNotAllowed, notFound } from '@drover/base';
import type { Route } from '../http/exchange.ts';
import { pageScript } from './client.ts';

interface Asset {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

const prefix = '/api-ui';

function asset(name: string, type: string, text: string): Asset {
  return { path: `${prefix}/${hash('sha256', text, 'hex').slice(0, 12)}/${name}`, type, text };
}

export const assets = {
  css: asset('ui.css', 'text/css; charset=utf-8', readFileSync(new URL('./page.css', import.meta.url), 'utf8')),
  js: asset('ui.js', 'text/javascript; charset=utf-8', pageScript),
} as const;

/** For anybody: the page that asks to sign in needs them, and they tell nothing. */
export const apiUiRoute: Route = {
  prefix,
  signIn: 'none',
  errors: 'norman',
  async handle({ request, response, path }) {
    const found = Object.values(assets).find(one => one.path === path);
    if (!found) throw notFound('path', path);
    if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed(request.method ?? '', path);
    response.writeHead(200, {
      'content-type': found.type,
      'content-length': Buffer.byteLength(found.text),
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    });
    response.end(request.method === 'HEAD' ? undefined : found.text);
  },
};
