/** Principals in v3: the caller's own, one by id, and a search as he types. */
import type { V3Data } from '@drover/api';
import { invalid } from '@drover/base';
import { ownPrincipals, principalById, searchPrincipals } from '../auth/index.ts';
import type { Principal } from '../auth/principals.ts';
import { principalElsewhere, searchElsewhere } from '../auth-providers/index.ts';
import { behaviour } from './behaviour.ts';
import { findType } from './registry.ts';
import { collectionUrl, withLinks } from './show.ts';

const show = (principal: Principal): V3Data => ({ ...principal, type: 'principal', baseType: 'principal' });

export const principals = behaviour<never>({
  source: {
    list: ({ deps, caller }) => ownPrincipals(deps.caches, caller).map(show),
    get: async ({ deps, caller }, id) =>
      show((await principalElsewhere(deps, caller, id)) ?? principalById(deps.caches, caller, id)),
  },
  collectionActions: {
    async search(request, input) {
      const name = input['name'];
      const type = input['principalType'];
      if (typeof name !== 'string') throw invalid('name', 'must be the beginning of a name', 'MissingRequired');
      if (type !== undefined && type !== null && type !== '' && type !== 'user' && type !== 'group') {
        throw invalid('principalType', 'must be user or group', 'InvalidOption');
      }
      const served = findType('principal')!;
      const search = { name, principalType: (type as string) || undefined };
      const found = [
        ...(await searchElsewhere(request.deps, request.caller, search)),
        ...searchPrincipals(request.deps.caches, request.caller, search),
      ];
      const data = found.map(principal => withLinks(request, served, { data: show(principal) }));
      const self = collectionUrl(request, served);
      return {
        type: 'collection',
        resourceType: 'principal',
        links: { self },
        actions: {},
        pagination: { limit: data.length, total: data.length },
        data,
      };
    },
  },
});
