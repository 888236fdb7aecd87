/**
 * GitHub's REST API as far as sign-in needs it: who a token is, his organisations and teams, people and teams by name. On
 * github.com or an Enterprise host; pages are followed within that host alone, and only so many.
 */
import { hash } from 'node:crypto';
import { forbidden, notFound, type Secret, tooManyRequests, unauthorized, unavailable } from '@drover/base';
import type { GithubSettings } from './github-settings.ts';
import { type ProviderFetch, providerFetch } from './provider-fetch.ts';

export interface GithubAccount {
  readonly id: number;
  readonly login: string;
  readonly name?: string | null;
  readonly type?: string;
  readonly avatar_url?: string;
  readonly html_url?: string;
}

export interface GithubTeam {
  readonly id: number;
  readonly name: string;
  readonly slug: string;
  readonly html_url?: string;
  readonly organization?: GithubAccount;
}

const mostPages = 30;

export class GithubApi {
  readonly #fetch: ProviderFetch;
  readonly #settings: GithubSettings;
  readonly #token: Secret;
  readonly #scheme: 'token' | 'Bearer';

  /** An app shows its own signature as `Bearer`. */
  constructor(settings: GithubSettings, token: Secret, scheme: 'token' | 'Bearer' = 'token') {
    this.#scheme = scheme;
    this.#settings = settings;
    this.#token = token;
    this.#fetch = providerFetch({ provider: settings.name, ca: settings.certificate, maxBytes: 4 * 1024 * 1024 });
  }

  user(): Promise<GithubAccount> {
    return this.#get('/user');
  }

  organisations(): Promise<GithubAccount[]> {
    return this.#all('/user/orgs?per_page=100');
  }

  teams(): Promise<GithubTeam[]> {
    return this.#all('/user/teams?per_page=100');
  }

  teamsOf(organisation: string): Promise<GithubTeam[]> {
    return this.#all(`/orgs/${encodeURIComponent(organisation)}/teams?per_page=100`);
  }

  /** The app whose signature is shown. */
  app(): Promise<{ readonly id: number; readonly client_id?: string }> {
    return this.#get('/app');
  }

  installation(id: string): Promise<{ readonly account: GithubAccount }> {
    return this.#get(`/app/installations/${encodeURIComponent(id)}`);
  }

  userById(id: string): Promise<GithubAccount> {
    return this.#get(`/user/${encodeURIComponent(id)}`);
  }

  organisationById(id: string): Promise<GithubAccount> {
    return this.#get(`/organizations/${encodeURIComponent(id)}`);
  }

  /** People (or organisations) whose login or name holds the text; at most a hundred, the best first. */
  async search(text: string, type: 'user' | 'org'): Promise<GithubAccount[]> {
    // Only words: a search has qualifiers of its own, which nobody is to slip in.
    const words = text.replace(/[^\p{L}\p{N}._@ -]/gu, ' ').trim();
    if (words === '') return [];
    const query = new URLSearchParams({ q: `${words} type:${type}`, per_page: '100' });
    const found = await this.#get<{ items?: GithubAccount[] }>(`/search/users?${query}`);
    return found.items ?? [];
  }

  async #all<T>(path: string): Promise<T[]> {
    const found: T[] = [];
    let next: string | undefined = `${this.#settings.api}${path}`;
    for (let page = 0; next !== undefined; page++) {
      if (page >= mostPages)
        throw unavailable(`"${this.#settings.name}" lists more than ${mostPages} pages of ${path}`);
      const answer: Response = await this.#ask(next);
      found.push(...((await answer.json()) as T[]));
      next = this.#nextOf(answer.headers.get('link'));
    }
    return found;
  }

  async #get<T>(path: string): Promise<T> {
    return (await this.#ask(`${this.#settings.api}${path}`)).json() as Promise<T>;
  }

  async #ask(url: string): Promise<Response> {
    const answer = await this.#fetch(url, {
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `${this.#scheme} ${this.#token.reveal()}`,
        'user-agent': 'drover',
      },
    });
    if (answer.ok) return answer;
    const { name } = this.#settings;
    if (answer.status === 401) throw unauthorized(`"${name}" no longer takes the token of this sign-in`);
    if (answer.status === 404) throw notFound('principal', new URL(url).pathname.split('/').at(-1) ?? '');
    const isLimited = answer.status === 429 || answer.headers.get('x-ratelimit-remaining') === '0';
    if (isLimited) throw tooManyRequests(`"${name}" takes no more requests for now`, waitOf(answer.headers));
    if (answer.status === 403) throw forbidden(`"${name}" does not allow this token to ask`);
    throw unavailable(`"${name}" answered ${answer.status}`);
  }

  /** The next page, where it lies below the same API: a token goes nowhere else. */
  #nextOf(link: string | null): string | undefined {
    const next = /<([^>]+)>;\s*rel="next"/.exec(link ?? '')?.[1];
    return next?.startsWith(`${this.#settings.api}/`) ? next : undefined;
  }
}

function waitOf(headers: Headers): number {
  const after = Number(headers.get('retry-after'));
  if (after > 0) return Math.min(after, 3600);
  const reset = Number(headers.get('x-ratelimit-reset')) - Date.now() / 1000;
  return reset > 0 ? Math.min(Math.ceil(reset), 3600) : 60;
}

/** What a sign-in gives to ask with; tokens of apps end after some hours, and come with what gets the next. */
export interface GithubTokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly expiresInSeconds?: number;
}

/** A code for a token; throws Unauthorized for a code that is not, or no longer, good. */
export function exchangeCode(
  settings: GithubSettings,
  given: { readonly code: string; readonly redirectUri: string; readonly verifier: string },
): Promise<GithubTokens> {
  return askTokens(settings, { code: given.code, redirect_uri: given.redirectUri, code_verifier: given.verifier });
}

/** The next token for the one that ends; throws Unauthorized once its owner has taken his consent back. */
export function renewToken(settings: GithubSettings, refreshToken: string): Promise<GithubTokens> {
  return askTokens(settings, { grant_type: 'refresh_token', refresh_token: refreshToken });
}

async function askTokens(settings: GithubSettings, given: Readonly<Record<string, string>>): Promise<GithubTokens> {
  const fetch = providerFetch({ provider: settings.name, ca: settings.certificate });
  const answer = await fetch(`${settings.web}/login/oauth/access_token`, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      client_id: settings.clientId,
      client_secret: settings.clientSecret.reveal(),
      ...given,
    }).toString(),
  });
  if (!answer.ok) throw unavailable(`"${settings.name}" answered ${answer.status} to a code`);
  const body = (await answer.json().catch(() => ({}))) as Readonly<Record<string, unknown>>;
  // It answers 200 with an error inside; what stands there is not ours to repeat.
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn } = body;
  if (typeof accessToken !== 'string' || accessToken === '')
    throw unauthorized(`"${settings.name}" did not take the code of this sign-in`, { code: 'Unauthorized' });
  return {
    accessToken,
    ...(typeof refreshToken === 'string' && refreshToken !== '' ? { refreshToken } : {}),
    ...(typeof expiresIn === 'number' && expiresIn > 0 ? { expiresInSeconds: expiresIn } : {}),
  };
}

/** What a browser's verifier is shown as at the start (RFC 7636). */
export const challengeOf = (verifier: string): string => hash('sha256', verifier, 'base64url');
