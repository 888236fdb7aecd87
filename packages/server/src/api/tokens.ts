/** Tokens in v3: each caller has his own and nobody else's; the key is shown in the answer to its creation, and never again. */
import type { Token } from '@drover/api';
import { toV3, types, type V3Data } from '@drover/api';
import { badRequest, invalid } from '@drover/base';
import { issueToken, logout, revokeToken } from '../auth/index.ts';
import { type ApiView, behaviour } from './behaviour.ts';

export const tokens = behaviour<Token>({
  visible: (request, token) => token.userId === request.caller.userId,
  mayCreate: () => true,
  mayUpdate: () => true,
  mayDelete: () => true,
  show: (request, data, token) => ({
    ...data,
    current: token.metadata.name === request.caller.tokenId && !token.isDerived,
    expired: Boolean(token.expiresAt) && Date.parse(token.expiresAt!) <= Date.now(),
  }),
  async create(request, input) {
    const clusterId = (input['clusterId'] as string | null) || undefined;
    if (clusterId !== undefined) requireReach(request, clusterId);
    const { resource, bearer } = await issueToken(depsOf(request), {
      userId: request.caller.userId,
      kind: 'derived',
      ...voucherOf(request),
      description: (input['description'] as string | null) || undefined,
      ttlMs: (input['ttl'] as number | null) || undefined,
      // A token for one cluster can make no other kind.
      clusterId: clusterId ?? request.caller.clusterId,
    });
    return { ...toV3(types.token, resource), token: bearer.reveal(), current: false, expired: false };
  },
  objections: {
    update: () => () => invalid('token', 'a token can’t be changed; make another and delete this one', 'InvalidAction'),
    delete: ({ caller }, token) =>
      token.metadata.name === caller.tokenId && !token.isDerived
        ? () => badRequest('this is the token of your session: sign out instead')
        : undefined,
  },
  async remove(request, token) {
    await revokeToken(depsOf(request), token.metadata.name);
  },
  collectionActions: {
    async logout(request) {
      await logout({ ...depsOf(request), authenticator: request.deps.auth.authenticator }, request.exchange);
      return 'handled';
    },
    async logoutAll(request, input): Promise<V3Data | 'handled'> {
      const returnTo = String(input['finalRedirectUrl'] ?? '/');
      // Who came from elsewhere is led there, to end that session as well.
      const idpRedirectUrl = await request.deps.auth.redirect.logoutUrl(request.exchange, { returnTo, all: true });
      if (idpRedirectUrl !== undefined) return { type: 'authConfigLogoutOutput', idpRedirectUrl };
      await logout({ ...depsOf(request), authenticator: request.deps.auth.authenticator }, request.exchange, {
        all: true,
      });
      return 'handled';
    },
  },
});

export function depsOf({ deps }: Pick<ApiView, 'deps'>) {
  return { resources: deps.resources, caches: deps.caches, settings: deps.settings, access: deps.auth.access };
}

/** Whoever vouches for the token that asks vouches for what is made from it: it ends with him. */
export function voucherOf({ deps, caller }: Pick<ApiView, 'deps' | 'caller'>): {
  readonly authProvider?: string;
  readonly userPrincipal?: string;
} {
  const token = deps.caches.token.get(caller.tokenId);
  return { authProvider: token?.authProvider, userPrincipal: token?.userPrincipal };
}

/** One answer for clusters that are not there and those that are others'. */
export function requireReach(request: ApiView, clusterId: string): void {
  if (!request.deps.caches.cluster.get(clusterId) || !request.deps.auth.access.mayReach(request.caller, clusterId)) {
    throw invalid('clusterId', `"${clusterId}" is no cluster of yours`, 'InvalidReference');
  }
}
