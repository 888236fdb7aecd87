/**
 * For tests: a stand-in for a GitHub Enterprise host, named as what it is. It answers only what sign-in asks for, as GitHub
 * documents it: the code flow with PKCE, the user with his organisations and teams in pages, and searches.
 */
import { hash, type KeyObject, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { jwtVerify } from 'jose';
import { startTlsPeer } from './tls-peer.ts';

export interface Account {
  readonly id: number;
  readonly login: string;
  readonly name?: string;
}

interface Team {
  readonly id: number;
  readonly name: string;
  readonly slug: string;
  readonly organization: Account;
}

export interface GithubStandIn extends AsyncDisposable {
  /** `localhost:PORT`, as the configuration names it. */
  readonly host: string;
  readonly url: string;
  readonly ca: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who signs in next. */
  user: Account;
  organisations: Account[];
  /** Teams that the user is in. */
  teams: Team[];
  /** Teams of his organisations that he is not in. */
  otherTeams: Team[];
  /** Tokens that were given and count no longer. */
  readonly revoked: Set<string>;
  readonly tokens: string[];
  /** A GitHub App, where the host has one: its key, and what it is installed in. */
  app?: GithubAppThere;
}

export interface GithubAppThere {
  readonly id: number;
  readonly publicKey: KeyObject;
  readonly installations: ReadonlyMap<string, Account>;
  /** Of its users' tokens. */
  readonly tokenSeconds: number;
}

const perPage = 2;

export async function startGithubStandIn(): Promise<GithubStandIn> {
  const tls = await startTlsPeer();
  const codes = new Map<string, { challenge: string; redirectUri: string }>();
  const refreshTokens = new Set<string>();
  const self: GithubStandIn = {
    host: `localhost:${tls.port}`,
    url: tls.url,
    ca: tls.ca,
    clientId: 'an-oauth-app',
    clientSecret: 'secret-of-the-app',
    user: { id: 1, login: 'octocat' },
    organisations: [],
    teams: [],
    otherTeams: [],
    revoked: new Set(),
    tokens: [],
    [Symbol.asyncDispose]: () => tls[Symbol.asyncDispose](),
  };

  const json = (response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

  /** Pages of two, whatever was asked for, so that there is always a next one to follow. */
  const paged = (response: ServerResponse, url: URL, all: readonly unknown[]) => {
    const page = Number(url.searchParams.get('page') ?? 1);
    const next = new URL(url);
    next.searchParams.set('page', String(page + 1));
    const link = page * perPage < all.length ? { link: `<${next}>; rel="next"` } : undefined;
    json(response, all.slice((page - 1) * perPage, page * perPage), 200, link);
  };

  const api = (request: IncomingMessage, response: ServerResponse, url: URL) => {
    const token = /^token (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (!token || !self.tokens.includes(token) || self.revoked.has(token))
      return json(response, { message: 'Bad credentials' }, 401);
    const path = url.pathname.slice('/api/v3'.length);
    if (path === '/user') return json(response, self.user);
    if (path === '/user/orgs') return paged(response, url, self.organisations);
    if (path === '/user/teams') return paged(response, url, self.teams);
    const organisation = /^\/orgs\/([^/]+)\/teams$/.exec(path)?.[1];
    if (organisation) {
      const own = [...self.teams, ...self.otherTeams].filter(team => team.organization.login === organisation);
      return paged(response, url, own);
    }
    if (path === '/search/users') {
      const [, words = '', type = ''] = /^(.*) type:(user|org)$/.exec(url.searchParams.get('q') ?? '') ?? [];
      const among = type === 'user' ? [self.user] : self.organisations;
      return json(response, { items: among.filter(({ login }) => login.includes(words)) });
    }
    json(response, { message: 'Not Found' }, 404);
  };

  /** What the app may ask as itself, by a JWT that its key has signed. */
  const asApp = async (request: IncomingMessage, response: ServerResponse, path: string) => {
    const { app } = self;
    const jwt = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const verified =
      app &&
      (await jwtVerify(jwt, app.publicKey, { algorithms: ['RS256'], maxTokenAge: '10m' }).catch(() => undefined));
    if (!app || verified?.payload.iss !== String(app.id)) return json(response, { message: 'Bad credentials' }, 401);
    if (path === '/app') return json(response, { id: app.id, client_id: self.clientId });
    const account = app.installations.get(path.slice('/app/installations/'.length));
    return account ? json(response, { account }) : json(response, { message: 'Not Found' }, 404);
  };

  const giveTokens = (response: ServerResponse) => {
    const token = `gho_${randomBytes(10).toString('hex')}`;
    self.tokens.push(token);
    if (!self.app) return json(response, { access_token: token, token_type: 'bearer', scope: 'read:org' });
    const refresh = `ghr_${randomBytes(10).toString('hex')}`;
    refreshTokens.add(refresh);
    json(response, {
      access_token: token,
      expires_in: self.app.tokenSeconds,
      refresh_token: refresh,
      token_type: 'bearer',
    });
  };

  tls.serve(async (request, response) => {
    const url = new URL(request.url ?? '/', tls.url);
    if (/^\/api\/v3\/app(?:\/|$)/.test(url.pathname))
      return asApp(request, response, url.pathname.slice('/api/v3'.length));
    if (url.pathname.startsWith('/api/v3/')) return api(request, response, url);
    if (url.pathname === '/login/oauth/authorize') {
      const query = url.searchParams;
      const code = randomBytes(10).toString('hex');
      const redirectUri = query.get('redirect_uri') ?? '';
      codes.set(code, { challenge: query.get('code_challenge') ?? '', redirectUri });
      const back = new URL(redirectUri);
      back.searchParams.set('code', code);
      back.searchParams.set('state', query.get('state') ?? '');
      return void response.writeHead(302, { location: back.href }).end();
    }
    if (url.pathname === '/login/oauth/access_token' && request.method === 'POST') {
      const form = new URLSearchParams(await readText(request));
      if (form.get('grant_type') === 'refresh_token') {
        const known =
          form.get('client_secret') === self.clientSecret && refreshTokens.delete(form.get('refresh_token') ?? '');
        return known ? giveTokens(response) : json(response, { error: 'bad_refresh_token' });
      }
      const given = codes.get(form.get('code') ?? '');
      codes.delete(form.get('code') ?? '');
      const good =
        given !== undefined &&
        form.get('client_secret') === self.clientSecret &&
        form.get('redirect_uri') === given.redirectUri &&
        hash('sha256', form.get('code_verifier') ?? '', 'base64url') === given.challenge;
      // GitHub answers 200 here, too.
      if (!good) return json(response, { error: 'bad_verification_code' });
      return giveTokens(response);
    }
    json(response, { message: 'Not Found' }, 404);
  });
  return self;
}
