/** `/`: a browser is led to the web UI, or to a page that says where to go where it is not built; a program gets the API's versions. */
import type { IncomingMessage } from 'node:http';
import { notFound } from '@drover/base';
import { homePage } from '@drover/web';
import type { Route } from './exchange.ts';
import { sendText } from './health.ts';

const policy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function homeRoute(baseUrl: (request: IncomingMessage) => string, hasUi: () => boolean = () => false): Route {
  return {
    prefix: '/',
    signIn: 'none',
    errors: 'norman',
    async handle({ request, response, path }) {
      if (path !== '/') throw notFound('path', path);
      const { accept = '', 'accept-language': language = '' } = request.headers;
      if (!accept.includes('text/html'))
        return sendText(response, 200, JSON.stringify(roots(baseUrl(request))), 'application/json');
      response.setHeader('vary', 'accept, accept-language');
      if (hasUi()) {
        response.writeHead(302, { location: '/ui/', 'content-length': 0 }).end();
        return;
      }
      response.setHeader('content-security-policy', policy);
      response.setHeader('referrer-policy', 'no-referrer');
      sendText(response, 200, homePage(baseUrl(request), language), 'text/html; charset=utf-8');
    },
  };
}

function roots(base: string): Record<string, unknown> {
  const root = (path: string, version: string) => ({
    type: 'apiRoot',
    baseType: 'apiRoot',
    apiVersion: { group: 'management.cattle.io', version, path },
    links: { self: `${base}${path}`, root: `${base}${path}` },
  });
  return {
    type: 'collection',
    resourceType: 'apiRoot',
    links: { self: `${base}/` },
    data: [root('/v3', 'v3'), root('/v3-public', 'v3public')],
  };
}
