/**
 * For tests: a real OpenID Connect provider (oidc-provider, a certified one) on a free port. Whoever comes is signed in at once
 * as the account that the test has set, so that a browser is not needed for its pages.
 */
import type { RequestListener } from 'node:http';
// @ts-expect-error: the package brings no types.
import { Provider } from 'oidc-provider';
import { startTlsPeer } from './tls-peer.ts';

export interface OidcAccount {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

export interface OidcPeer extends AsyncDisposable {
  readonly issuer: string;
  readonly ca: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who signs in next; undefined for somebody who says no. */
  account: OidcAccount | undefined;
  /** Signs with these keys from now on (private JWKs), as if they had been rotated. */
  rotate(keys: readonly object[]): void;
  /** Requests that were answered, by path. */
  readonly asked: Map<string, number>;
  /** Puts something between: returns true where it has answered. */
  between: ((...args: Parameters<RequestListener>) => boolean) | undefined;
}

export interface OidcPeerOptions {
  readonly redirectUris: readonly string[];
  readonly postLogoutUris?: readonly string[];
  readonly keys: readonly object[];
  /** Below which the provider lies, such as `/tenant/v2.0`. */
  readonly path?: string;
  /** All claims in the ID token, as some products do. */
  readonly claimsInIdToken?: boolean;
}

export async function startOidcPeer(options: OidcPeerOptions): Promise<OidcPeer> {
  const { redirectUris, postLogoutUris = [], keys, path = '', claimsInIdToken = false } = options;
  const tls = await startTlsPeer();
  const issuer = `${tls.url}${path}`;
  const clientId = 'drover-test';
  const clientSecret = 'a-secret-that-only-both-know-0123456789';
  const asked = new Map<string, number>();
  const state = { account: undefined as OidcAccount | undefined, between: undefined as OidcPeer['between'] };
  const accounts = new Map<string, OidcAccount>();

  const make = (jwks: readonly object[]) => {
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: [...redirectUris],
          post_logout_redirect_uris: [...postLogoutUris],
          grant_types: ['authorization_code', 'refresh_token'],
        },
      ],
      jwks: { keys: jwks },
      claims: {
        openid: ['sub'],
        profile: ['name', 'preferred_username', 'groups', 'realm', 'oid', '_claim_names'],
        email: ['email'],
      },
      conformIdTokenClaims: !claimsInIdToken,
      features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      issueRefreshToken: async () => true,
      pkce: { required: () => true },
      ttl: {
        AccessToken: 600,
        AuthorizationCode: 60,
        Grant: 600,
        IdToken: 600,
        Interaction: 600,
        Session: 600,
        RefreshToken: 600,
      },
      cookies: { keys: ['only for a test'] },
      async findAccount(_: unknown, sub: string) {
        return { accountId: sub, claims: async () => accounts.get(sub) ?? { sub } };
      },
      async loadExistingGrant(ctx: {
        oidc: { provider: unknown; client: { clientId: string }; session: { accountId: string } };
      }) {
        const Grant = (
          ctx.oidc.provider as { Grant: new (of: object) => { addOIDCScope(s: string): void; save(): Promise<void> } }
        ).Grant;
        const grant = new Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
        grant.addOIDCScope('openid profile email offline_access');
        await grant.save();
        return grant;
      },
    });
    const answer = provider.callback() as RequestListener;
    return { provider, answer };
  };
  let current = make(keys);

  tls.serve((request, response) => {
    const { pathname } = new URL(request.url ?? '/', tls.url);
    asked.set(pathname, (asked.get(pathname) ?? 0) + 1);
    if (state.between?.(request, response)) return;
    if (!pathname.startsWith('/interaction/')) {
      // As a provider mounted below a path expects it.
      Object.assign(request, { originalUrl: request.url, url: request.url?.slice(path.length) });
      return void current.answer(request, response);
    }
    const { account } = state;
    if (account) accounts.set(account.sub, account);
    const result = account ? { login: { accountId: account.sub } } : { error: 'access_denied' };
    void current.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  });
  return {
    issuer,
    ca: tls.ca,
    clientId,
    clientSecret,
    asked,
    rotate(next) {
      current = make(next);
    },
    get account() {
      return state.account;
    },
    set account(account) {
      state.account = account;
      if (account) accounts.set(account.sub, account);
    },
    get between() {
      return state.between;
    },
    set between(between) {
      state.between = between;
    },
    [Symbol.asyncDispose]: () => tls[Symbol.asyncDispose](),
  };
}
