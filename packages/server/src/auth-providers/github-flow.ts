/**
 * Signing in with GitHub: OAuth's code flow, then the user with his organisations and the teams that he himself is in.
 * Numbers name everybody: logins and names can be given to somebody else.
 */
import { randomBytes } from 'node:crypto';
import { forbidden, Secret, unauthorized } from '@drover/base';
import {
  challengeOf,
  exchangeCode,
  type GithubAccount,
  GithubApi,
  type GithubTeam,
  type GithubTokens,
} from './github-api.ts';
import type { GithubSettings } from './github-settings.ts';
import { type Identity, type KnownPrincipal, shownName } from './identity.ts';

export interface GithubPending {
  readonly verifier: string;
  readonly redirectUri: string;
}

export function beginGithub(
  settings: GithubSettings,
  options: { readonly redirectUri: string; readonly state: string },
): { readonly url: string; readonly pending: GithubPending } {
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(`${settings.web}/login/oauth/authorize`);
  url.searchParams.set('client_id', settings.clientId);
  url.searchParams.set('redirect_uri', options.redirectUri);
  url.searchParams.set('scope', 'read:org');
  url.searchParams.set('state', options.state);
  url.searchParams.set('code_challenge', challengeOf(verifier));
  url.searchParams.set('code_challenge_method', 'S256');
  return { url: url.href, pending: { verifier, redirectUri: options.redirectUri } };
}

/** Throws Forbidden where he did not agree, Unauthorized for a code that is no good. */
export async function finishGithub(
  settings: GithubSettings,
  given: { readonly query: URLSearchParams; readonly pending: GithubPending },
): Promise<Identity> {
  if (given.query.get('error')) throw forbidden(`"${settings.name}" did not let you sign in`);
  const code = given.query.get('code');
  if (!code) throw unauthorized(`"${settings.name}" sent no code`, { code: 'Unauthorized' });
  return refreshGithub(settings, keepOf(await exchangeCode(settings, { ...given.pending, code })));
}

/** What is kept of the tokens to ask again. */
export function keepOf({ accessToken, refreshToken, expiresInSeconds }: GithubTokens): NonNullable<Identity['keep']> {
  const endsAt = expiresInSeconds === undefined ? undefined : String(Date.now() + expiresInSeconds * 1000);
  return { accessToken, ...(refreshToken ? { refreshToken } : {}), ...(endsAt ? { endsAt } : {}) };
}

/** Asks anew who the token is and what he is in; throws Unauthorized once the token is over. */
export async function refreshGithub(settings: GithubSettings, keep: NonNullable<Identity['keep']>): Promise<Identity> {
  const api = new GithubApi(settings, new Secret(keep['accessToken'] ?? ''));
  const [user, organisations, teams] = await Promise.all([api.user(), api.organisations(), api.teams()]);
  const groups = [
    ...organisations.map(each => accountPrincipal(settings.name, 'org', each)),
    ...teams.map(each => teamPrincipal(settings.name, each)),
  ];
  return { user: accountPrincipal(settings.name, 'user', user), groups, keep };
}

/** People and organisations that are found by the text, and teams of the organisations that the token is in. */
export async function searchGithub(
  settings: GithubSettings,
  keep: NonNullable<Identity['keep']>,
  search: { readonly name: string; readonly principalType?: string },
): Promise<KnownPrincipal[]> {
  const api = new GithubApi(settings, new Secret(keep['accessToken'] ?? ''));
  const text = search.name.trim().toLowerCase();
  // Only with the token of who asks: he finds what he may see there.
  if (text === '' || !keep['accessToken']) return [];
  const users = search.principalType === 'group' ? [] : await api.search(text, 'user');
  const groups = search.principalType === 'user' ? [] : await api.search(text, 'org');
  const teams = search.principalType === 'user' ? [] : await teamsNamed(api, text);
  return [
    ...users.map(each => accountPrincipal(settings.name, 'user', each)),
    ...groups.map(each => accountPrincipal(settings.name, 'org', each)),
    ...teams.map(each => teamPrincipal(settings.name, each)),
  ];
}

async function teamsNamed(api: GithubApi, text: string): Promise<GithubTeam[]> {
  const organisations = (await api.organisations()).slice(0, 20);
  const lists = await Promise.all(organisations.map(({ login }) => api.teamsOf(login)));
  return lists
    .flat()
    .filter(team => team.name.toLowerCase().includes(text) || team.slug.includes(text))
    .slice(0, 100);
}

function accountPrincipal(provider: string, kind: 'user' | 'org', account: GithubAccount): KnownPrincipal {
  const id = idOf(account);
  return {
    id: `${provider}_${kind}://${id}`,
    displayName: shownName(account.name, shownName(account.login, id)),
    loginName: shownName(account.login, id),
    principalType: kind === 'user' ? 'user' : 'group',
    provider,
    ...(kind === 'org' ? { organisation: id } : {}),
    ...pictures(account),
  };
}

function teamPrincipal(provider: string, team: GithubTeam): KnownPrincipal {
  const id = idOf(team);
  const organisation = shownName(team.organization?.login, '');
  const name = shownName(team.name, id);
  return {
    id: `${provider}_team://${id}`,
    displayName: organisation ? `${organisation}/${name}` : name,
    loginName: shownName(team.slug, id),
    principalType: 'group',
    provider,
    ...(team.organization ? { organisation: idOf(team.organization) } : {}),
    ...pictures(team),
  };
}

function idOf({ id }: { readonly id?: unknown }): string {
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id <= 0)
    throw forbidden('the provider\'s answer has no usable "id"');
  return String(id);
}

function pictures(from: { readonly avatar_url?: string; readonly html_url?: string }): Partial<KnownPrincipal> {
  const isHttps = (url: unknown): url is string => typeof url === 'string' && /^https:\/\/[^\s"'<>]+$/.test(url);
  return {
    ...(isHttps(from.avatar_url) ? { profilePicture: from.avatar_url } : {}),
    ...(isHttps(from.html_url) ? { profileURL: from.html_url } : {}),
  };
}
