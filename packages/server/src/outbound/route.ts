/**
 * The outbound proxy: pages and scripts ask the APIs of clouds through the server, with credentials that it keeps for them. It goes to
 * hosts that are listed, at addresses that were looked at, with headers that are listed, and looks again at each redirect.
 */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { conflict, forbidden, methodNotAllowed, StatusError, Tally, tooManyRequests, unavailable } from '@drover/base';
import type { Dispatcher } from 'undici';
import type { ApiDeps, ApiView } from '../api/behaviour.ts';
import { readBytes } from '../api/body.ts';
import { guardCsrf } from '../auth/index.ts';
import { parseNetworks } from '../http/client-address.ts';
import type { Caller, Exchange, Route } from '../http/exchange.ts';
import { awsHeaders } from './aws-signature.ts';
import { type Asked, ask, type ConnectOptions } from './connect.ts';
import { type CredentialUse, useCredential } from './credential-use.ts';
import { digestAnswer } from './digest.ts';
import { answerHeaders, sentHeaders } from './headers.ts';
import { isHostAllowed, parseList } from './hosts.ts';
import { type OutboundTarget, outboundPrefix, parseTarget } from './target.ts';

export interface OutboundOptions extends ConnectOptions {
  readonly maxAnswerBytes?: number;
}

const maxBodyBytes = 2 << 20;
const maxRedirects = 3;
const maxAtOnce = 64;
const maxPerUser = 8;
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

export function outboundRoute(
  deps: ApiDeps,
  baseUrl: (request: IncomingMessage) => string,
  options: OutboundOptions = {},
): Route {
  const running = new Tally<string>();
  let all = 0;
  const enter = ({ userId }: Caller): Disposable => {
    if (all >= maxAtOnce || running.of(userId) >= maxPerUser)
      throw tooManyRequests('too many requests to other hosts at once', 1);
    running.add(userId);
    all++;
    return {
      [Symbol.dispose]() {
        all--;
        running.remove(userId);
      },
    };
  };
  return {
    prefix: outboundPrefix,
    signIn: 'user',
    errors: 'norman',
    async handle(exchange, caller) {
      const { request, response, query } = exchange;
      const method = request.method ?? 'GET';
      if (!methods.has(method)) throw methodNotAllowed(method, exchange.path);
      guardCsrf(request, response, { method, query });
      response.setHeader('x-api-cattle-auth', 'true');
      if (caller!.clusterId !== undefined) throw forbidden('a token for one cluster is for nothing else');
      using _ = enter(caller!);
      const view = { deps, caller: caller!, base: baseUrl(request), versionPath: '/v3' };
      await pass(view, exchange, parseTarget(exchange.path), options);
    },
  };
}

async function pass(
  view: ApiView,
  exchange: Exchange,
  target: OutboundTarget,
  options: OutboundOptions,
): Promise<void> {
  const { request, response } = exchange;
  requireHost(view, target.host);
  const given = request.headers['x-api-cattleauth-header'];
  const use = typeof given === 'string' && given !== '' ? useCredential(view, given, target.host) : undefined;
  const shown = request.headers['x-api-auth-header'];
  const body = await readBytes(request, maxBodyBytes);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const networks = parseList(view.deps.settings.get('outbound-networks'));
  let asked: Asked = {
    host: target.host,
    method: request.method ?? 'GET',
    path: `${target.path}${exchange.search}`,
    headers: sentHeaders(request.headers, use || typeof shown !== 'string' ? undefined : shown),
    body,
    networks: networks.length > 0 ? parseNetworks(networks, 'outbound-networks') : undefined,
    signal: gone.signal,
  };
  for (let redirects = 0; ; redirects++) {
    // What is secret goes to the host that was asked for, and to none that this one names.
    const own = asked.host === target.host;
    const sent = own && use ? await withCredential(asked, use, options) : own ? asked : withoutCredentials(asked);
    const { answer, end } = await ask(sent, options);
    try {
      const next = redirectOf(answer, asked);
      if (!next) return await giveBack(exchange, answer, options.maxAnswerBytes ?? 16 << 20);
      if (redirects >= maxRedirects) throw unavailable(`${target.host} redirects too often`);
      requireHost(view, next.host);
      asked = { ...asked, ...next };
    } finally {
      await end();
    }
  }
}

function requireHost({ deps }: ApiView, host: string): void {
  if (!isHostAllowed(deps, host))
    throw forbidden(`${host} may not be asked; an admin can add it to the setting whitelist-domain`);
}

const withoutCredentials = (asked: Asked): Asked => ({
  ...asked,
  headers: Object.fromEntries(
    Object.entries(asked.headers).filter(
      ([name]) => !/^(?:authorization|x-auth-token|x-subject-token|x-amz-)/.test(name),
    ),
  ),
});

async function withCredential(asked: Asked, use: CredentialUse, options: ConnectOptions): Promise<Asked> {
  const { way, user, secret } = use;
  const adding = (headers: Record<string, string>): Asked => ({ ...asked, headers: { ...asked.headers, ...headers } });
  if (way === 'bearer') return adding({ authorization: `Bearer ${secret.reveal()}` });
  if (way === 'basic')
    return adding({ authorization: `Basic ${Buffer.from(`${user}:${secret.reveal()}`).toString('base64')}` });
  if (way === 'digest') {
    const { answer, end } = await ask({ ...asked, body: Buffer.alloc(0) }, options);
    const challenge = answer.headers['www-authenticate'];
    await end();
    if (answer.statusCode !== 401 || challenge === undefined)
      throw conflict('host', asked.host, 'it asks for no Digest');
    const digest = { method: asked.method, uri: asked.path, username: user, password: secret };
    return adding({ authorization: digestAnswer([challenge].flat().join(', '), digest) });
  }
  const mark = asked.path.indexOf('?');
  const [path, search] = mark < 0 ? [asked.path, ''] : [asked.path.slice(0, mark), asked.path.slice(mark)];
  return adding(awsHeaders({ ...asked, path, search }, { accessKey: user, secretKey: secret }));
}

/** Where a redirect of a reading request leads; of others none is followed. Throws for where it may not lead. */
function redirectOf(
  { statusCode, headers }: Dispatcher.ResponseData,
  asked: Asked,
): { host: string; path: string } | undefined {
  const { location } = headers;
  if (![301, 302, 303, 307, 308].includes(statusCode) || typeof location !== 'string') return undefined;
  if (asked.method !== 'GET' && asked.method !== 'HEAD')
    throw unavailable(`${asked.host} redirects what is no reading request`);
  const url = URL.parse(location, `https://${asked.host}${asked.path}`);
  if (url?.protocol !== 'https:') throw forbidden(`${asked.host} redirects to what is not https`);
  return { host: url.host, path: `${url.pathname}${url.search}` };
}

async function giveBack(
  { request, response }: Exchange,
  answer: Dispatcher.ResponseData,
  maxBytes: number,
): Promise<void> {
  response.writeHead(answer.statusCode, answerHeaders(answer.headers));
  let bytes = 0;
  try {
    if (request.method !== 'HEAD')
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes)
          throw new StatusError(502, 'ServiceUnavailable', `the answer has more than ${maxBytes} bytes`);
        if (!response.write(chunk)) await once(response, 'drain', { signal: AbortSignal.timeout(60_000) });
      }
    response.end();
  } catch (error) {
    // Half an answer must not look whole.
    response.destroy();
    if (error instanceof StatusError) throw error;
  }
}
