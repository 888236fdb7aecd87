/**
 * From an answer of v3 to a page for people, with the headers that keep it from running or loading anything of others': a
 * policy with a nonce of this answer's own, no framing, no other page's handle on it.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ApiRequest, V3Resource } from '../api/behaviour.ts';
import { formatOf } from '../api/format.ts';
import type { V3Schema } from '../api/v3-schema.ts';
import type { NormanError, Page } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { type Collection, collectionPage } from './collection-page.ts';
import { frame } from './frame.ts';
import type { Markup } from './html.ts';
import { errorPage, signInPage } from './outside-page.ts';
import { resourcePage, titleOf } from './resource-page.ts';
import { rootPage, schemaListPage, schemaPage } from './root-page.ts';
import { textsFor } from './texts.ts';
import { type View, viewOf } from './view.ts';

const pageLimit = 100;

/** What a collection is asked for. A page shows a hundred where its address says no other number: people don't read a thousand. */
export function queryOf({ request, query }: Exchange): URLSearchParams {
  if (query.has('limit') || formatOf(request) !== 'html') return query;
  const limited = new URLSearchParams(query);
  limited.set('limit', String(pageLimit));
  return limited;
}

export function renderPage(request: ApiRequest, body: V3Resource): Page {
  const view = viewOf(request);
  const { caller } = request;
  const user = { name: caller.username || caller.userId, canSignOut: caller.via === 'cookie' };
  const { title, main } = pageOf(view, body);
  const nonce = newNonce();
  const path = decodedPath(view.url);
  return page(frame({ texts: view.texts, nonce, title, path, user, main }), nonce);
}

/** An error as a page, where the request asks for one. */
export function renderError(request: IncomingMessage, error: NormanError): Page | undefined {
  if (formatOf(request) !== 'html') return undefined;
  const texts = textsFor(request.headers['accept-language']);
  const nonce = newNonce();
  const unknown = Number(error.status) === 401;
  const main = unknown ? signInPage(texts) : errorPage(texts, error);
  return page(frame({ texts, nonce, title: unknown ? texts.signIn : String(error.status), main }), nonce);
}

function pageOf(view: View, body: V3Resource): { title: string; main: Markup } {
  const type = body['type'];
  if (type === 'apiRoot') return { title: view.request.versionPath, main: rootPage(view) };
  if (type === 'schema') return { title: String(body['id']), main: schemaPage(view, body as unknown as V3Schema) };
  if (type !== 'collection') return { title: titleOf(body), main: resourcePage(view, body) };
  if (body['resourceType'] === 'schema') return { title: view.texts.schemas, main: schemaListPage(view) };
  const collection = body as unknown as Collection;
  return { title: collection.resourceType ?? '', main: collectionPage(view, collection) };
}

const newNonce = () => randomBytes(16).toString('base64');
const decodedPath = ({ pathname }: URL) => pathname.replace(/\/{2,}/g, '/');

function page(markup: Markup, nonce: string): Page {
  return {
    text: markup.toString(),
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policyFor(nonce),
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'same-origin',
      'x-frame-options': 'SAMEORIGIN',
      vary: 'accept, accept-encoding, accept-language, user-agent',
    },
  };
}

/** `self` alone would not do: pages of clusters' workloads share our origin through the proxy. */
function policyFor(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:',
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'self'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}
