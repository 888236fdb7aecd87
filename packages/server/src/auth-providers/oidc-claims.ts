/** From claims to an identity: who the user is, and his groups wherever in the claims they stand. */
import { forbidden } from '@drover/base';
import { groupPrincipals, type Identity, userPrincipal } from './identity.ts';
import type { OidcSettings } from './oidc-settings.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** Throws Forbidden where a claim that must hold does not, or none says who the user is. */
export function identityOf(settings: OidcSettings, claims: Claims): Omit<Identity, 'keep'> {
  const { name, claims: names } = settings;
  for (const [claim, value] of Object.entries(settings.required))
    if (claims[claim] !== value) throw forbidden(`only accounts whose "${claim}" is ${value} may sign in`);
  requireAllGroups(claims, names.groups);
  const email = claims[names.email] ?? claims['email'];
  return {
    user: userPrincipal(name, claims[names.id], {
      displayName: claims[names.name] ?? email,
      loginName: email ?? claims['preferred_username'],
      field: names.id,
    }),
    groups: groupPrincipals(name, groupsOf(claims, names.groups)),
  };
}

/** Entra ID leaves the groups of people with very many out of its tokens and only says so: nobody gets in with half of his rights. */
function requireAllGroups(claims: Claims, groups: string): void {
  const elsewhere = claims['_claim_names'];
  if (typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, groups))
    throw forbidden(
      `the provider leaves "${groups}" out, since there are too many; let it name those alone that are assigned to the application`,
    );
}

/**
 * The groups in the claim: one of that very name, or else where the path leads. Keycloak's full paths, where they are given,
 * count for each group on them, as its own clients take them.
 */
export function groupsOf(claims: Claims, claim: string): unknown[] {
  const paths = claims['full_group_path'];
  if (claim === 'groups' && Array.isArray(paths))
    return paths.flatMap(path => (typeof path === 'string' ? path.split('/').filter(Boolean) : []));
  const found = Object.hasOwn(claims, claim) ? claims[claim] : follow(claims, claim.split('.'));
  if (typeof found === 'string') return [found];
  return Array.isArray(found) ? found : [];
}

function follow(from: unknown, path: readonly string[]): unknown {
  let at = from;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string, unknown>)[step];
  }
  return at;
}
