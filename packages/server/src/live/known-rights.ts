/**
 * What is known here of a caller's rights inside a cluster: by his roles in it. It is for what he is shown; the cluster knows of more, and
 * has the last word when he acts.
 */
import type { ApiView } from '../api/behaviour.ts';
import { scopesIn } from '../auth/grants.ts';
import { type Attributes, rulesAllow } from '../auth/rules.ts';

/** Whether he may do it in the whole cluster; also where one of his roles stands in the cluster only, and nobody here can tell. */
export function seemsToMay(
  { deps, caller }: ApiView,
  clusterId: string,
  { verb, ...attributes }: Attributes & { readonly verb: string },
): boolean {
  const { access } = deps.auth;
  if (!access.mayReach(caller, clusterId)) return false;
  if (access.isOwner(caller, clusterId)) return true;
  return scopesIn(access.grantsOf(caller), clusterId).some(
    scope =>
      rulesAllow(scope.rules, verb, attributes) ||
      [...scope.templates].some(name => {
        const template = deps.caches.roleTemplate.get(name);
        return template?.external === true && !template.externalRules?.length;
      }),
  );
}
