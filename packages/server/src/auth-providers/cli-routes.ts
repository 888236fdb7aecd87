/**
 * The doors of signing a command line in: where it says what it waits for and looks whether it was allowed, and the page where
 * its owner compares and decides. Only a browser's own session may allow it, by a form that was made for that session.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { forbidden, invalid, methodNotAllowed, notFound, tooManyRequests } from '@drover/base';
import { noteForAudit } from '../audit/notes.ts';
import { readSmallJson } from '../auth/login-body.ts';
import { Buckets } from '../auth/rate-limit.ts';
import type { Caller, Exchange, Route } from '../http/exchange.ts';
import { noStore, sendJson } from '../http/send-json.ts';
import {
  addCliRequest,
  allowCliRequest,
  type CliRequest,
  denyCliRequest,
  dropCliRequest,
  findCliRequest,
  isRequestId,
} from './cli-requests.ts';
import { shownName } from './identity.ts';
import { readForm } from './read-form.ts';
import type { RedirectDeps, RedirectSignIn } from './redirect-routes.ts';
import {
  choicePage,
  donePage,
  errorPage,
  type ProviderChoice,
  requestPage,
  sendPage,
  textsFor,
} from './sign-in-page.ts';

export interface CliRoutesDeps extends RedirectDeps {
  readonly signIn: RedirectSignIn;
  /** Where each provider that is enabled signs in, on the way back to a page. */
  readonly choices: (returnTo: string) => readonly ProviderChoice[];
}

const pagePath = '/dashboard/auth/login';
const pollMs = 2000;

export function cliRoutes(deps: CliRoutesDeps): Route[] {
  const asks = new Buckets({ burst: 20, perSecond: 1 / 6, maxKeys: 20_000 });
  const polls = new Buckets({ burst: 120, perSecond: 4, maxKeys: 20_000 });
  const limit = (buckets: Buckets, request: IncomingMessage) => {
    const wait = buckets.take(deps.addressOf(request) ?? '');
    if (wait > 0) throw tooManyRequests('too many requests from here', wait);
  };
  const pickUp = async (exchange: Exchange) => {
    const { request, response, path } = exchange;
    const [id, ...more] = path.split('/').slice(3).filter(Boolean);
    if (id === undefined && request.method === 'POST') {
      limit(asks, request);
      return begin(deps, exchange);
    }
    if (id === undefined || more.length > 0 || !isRequestId(id)) throw notFound('authToken', (id ?? '').slice(0, 64));
    limit(polls, request);
    if (request.method === 'DELETE') {
      await dropCliRequest(deps, id);
      response.writeHead(204).end();
      return;
    }
    if (request.method !== 'GET') throw methodNotAllowed(request.method ?? '', 'this path');
    const found = await findCliRequest(deps, id);
    if (!found) throw notFound('authToken', id);
    if (found.phase === 'denied') throw forbidden('the request was denied', { code: 'PermissionDenied' });
    sendJson(exchange.response, 200, shown(found), noStore);
  };
  const common = { errors: 'norman', errorPage } as const;
  return [
    ...['/v3-public/authTokens', '/v3-public/authtokens', '/v1-public/authtokens'].map(prefix => ({
      ...common,
      prefix,
      signIn: 'none' as const,
      handle: pickUp,
    })),
    {
      ...common,
      prefix: pagePath,
      signIn: 'optional',
      handle: (exchange, caller) => page(deps, exchange, caller),
    },
  ];
}

async function begin(deps: CliRoutesDeps, exchange: Exchange): Promise<void> {
  const { request } = exchange;
  const body = await readSmallJson(request);
  const text = (name: string) => {
    const value = body[name];
    if (value !== undefined && typeof value !== 'string') throw invalid(name, 'must be a string', 'InvalidFormat');
    return value;
  };
  const made = await addCliRequest(deps, {
    publicKey: text('publicKey') ?? '',
    responseType: text('responseType') ?? 'json',
    address: deps.addressOf(request),
    host: shownName(text('host'), '').slice(0, 128) || undefined,
  });
  const url = `${deps.baseUrl(request)}${pagePath}?requestId=${made.metadata.name}`;
  sendJson(exchange.response, 201, { ...shown(made), code: made.code, url, endsAt: made.endsAt, pollMs }, noStore);
}

function shown({ metadata, token = '', expiresAt = '', phase }: CliRequest): Record<string, unknown> {
  const { name } = metadata;
  return { id: name, name, type: 'authToken', baseType: 'authToken', token, expiresAt, phase };
}

/** Shows the request to whoever is signed in, or the providers to sign in with first; takes the answer. */
async function page(deps: CliRoutesDeps, exchange: Exchange, caller: Caller | undefined): Promise<void> {
  const { request, response, query, path, search } = exchange;
  if (path !== pagePath) throw notFound('path', path.slice(0, 200));
  const id = query.get('requestId') ?? '';
  if (!isRequestId(id)) throw invalid('requestId', 'must be what the command line printed', 'InvalidFormat');
  // A request that came in the address alone: it is kept only once its owner has allowed it.
  const inAddress = query.has('publicKey');
  const found = inAddress ? undefined : await findCliRequest(deps, id);
  if (!inAddress && !found) throw notFound('authToken', id);
  // A token that was made from another is no sign-in, whatever it is shown as.
  const session = caller && deps.caches.token.get(caller.tokenId);
  if (caller?.via !== 'cookie' || session === undefined || session.isDerived)
    return sendPage(response, 200, choicePage(request, deps.choices(`${path}${search}`)));
  const key = (await deps.signIn.key()).reveal();
  const subject = [caller.tokenId, id, query.get('publicKey') ?? '', query.get('responseType') ?? ''].join('\n');
  const proof = createHmac('sha256', key).update(`cli-request\n${subject}`).digest('hex');
  const responseType = found?.responseType ?? query.get('responseType') ?? 'kubeconfig';
  if (request.method === 'GET' || request.method === 'HEAD') {
    const texts = textsFor(request);
    const cluster = /^kubeconfig_(.+)$/.exec(responseType)?.[1];
    const access = cluster
      ? texts.accessCluster(cluster)
      : responseType === 'json'
        ? texts.accessAll
        : texts.accessKubeconfig;
    const code = found?.code ?? id;
    const codeIs = found ? 'code' : 'requestId';
    const { address, host } = found ?? {};
    return sendPage(
      response,
      200,
      requestPage(request, { user: caller.username, code, codeIs, address, host, access, proof }),
    );
  }
  if (request.method !== 'POST') throw methodNotAllowed(request.method ?? '', 'this path');
  const form = await readForm(request, { maxBytes: 4096 });
  if (!sameText(form.get('proof') ?? '', proof))
    throw forbidden('the form was not made for this session; open the page again');
  const allow = form.get('answer') === 'allow';
  const waiting =
    found ??
    (allow ? await addCliRequest(deps, { id, publicKey: query.get('publicKey') ?? '', responseType }) : undefined);
  noteForAudit(request, { userId: caller.userId });
  if (waiting) await (allow ? allowCliRequest(deps, caller, waiting) : denyCliRequest(deps, waiting));
  sendPage(response, 200, donePage(request, allow));
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
