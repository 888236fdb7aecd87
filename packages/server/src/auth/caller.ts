/** Caller: made of a user, what his sign-in providers said of him, and the token he showed. */
import type { Token, User, UserAttribute } from '@drover/api';
import type { Caller } from '../http/exchange.ts';

/** The caller; `requestHost` is the host that the client called, which clusters are told. */
export function makeCaller(
  token: Token,
  who: { readonly user: User; readonly attribute: UserAttribute | undefined },
  request: { readonly via: Caller['via']; readonly host: string },
): Caller {
  const { user, attribute } = who;
  const userId = user.metadata.name;
  const username = user.username || user.displayName || userId;
  return {
    userId,
    username,
    groups: groupsOf(attribute, token),
    extra: {
      principalid: principalsOf(user, token),
      username: [username],
      requesttokenid: [token.metadata.name],
      requesthost: [request.host],
    },
    principals: [...new Set([`local://${userId}`, ...(user.principalIds ?? [])])],
    tokenId: token.metadata.name,
    ...(token.clusterName ? { clusterId: token.clusterName } : {}),
    via: request.via,
  };
}

/** Groups of all providers, as Kubernetes' subjects name them; no provider can give one of Kubernetes' own. */
export function groupsOf(attribute: UserAttribute | undefined, token: Token): string[] {
  const ofProviders = attribute?.groupPrincipals
    ? Object.values(attribute.groupPrincipals).flat()
    : (token.groupPrincipals ?? []);
  const groups = ofProviders
    .filter(group => typeof group === 'string')
    .map(group => group.replace(/^local:\/\//, ''))
    .filter(group => group !== '' && !group.startsWith('system:'));
  return [...new Set([...groups, 'system:authenticated', 'system:cattle:authenticated'])];
}

/** The principals of the token's provider; all of them for a local one. */
function principalsOf(user: User, token: Token): string[] {
  const own = `local://${user.metadata.name}`;
  const all = [...new Set([...(user.principalIds ?? []), own])];
  if (!token.authProvider || token.authProvider === 'local') return all;
  return all.filter(id => id.startsWith(`${token.authProvider}_user://`));
}
