/**
 * `/v1-access?action=can-i` and `?action=who-can`: why one may or may not, and who may. What is inside of a cluster is
 * asked of that cluster as the user, so that its own bindings count.
 */
import { forbidden, ignoreNotFound, notFound } from '@drover/base';
import { type AccessAnswer, reviewOwnAccess } from '@drover/kube';
import type { ApiDeps } from '../api/behaviour.ts';
import { actionRoute } from '../auth/action-route.ts';
import { subjectsOfUser } from '../auth/escalation.ts';
import { identityHeaders } from '../auth/impersonation.ts';
import type { PolicyRule } from '../auth/rules.ts';
import type { Caller, Route } from '../http/exchange.ts';
import { type Deciding, decidedBy } from './decision.ts';
import { readQuestion } from './question.ts';
import { mayGrant } from './refusal.ts';
import { type ExternalRules, whoCan } from './who-can.ts';

interface CanI {
  readonly allowed: boolean;
  readonly by?: Deciding;
  /** The cluster's own words, for what is inside of it. */
  readonly reason?: string;
  /** Who may change a no, by display name, as far as the asker may see them. */
  readonly mayGrant?: readonly string[];
}

type Body = Readonly<Record<string, unknown>>;

export function explainRoute(deps: ApiDeps): Route {
  const explain = { caches: deps.caches, access: deps.auth.access };
  return actionRoute({
    prefix: '/v1-access',
    actions: {
      'can-i': ({ caller, body }) => canI(deps, caller, body),
      'who-can': async ({ caller, body }) => {
        const { question } = readQuestion(body);
        requireSeen(deps, caller, question.clusterId);
        // Refuses before the cluster is asked anything.
        const told = whoCan(explain, caller, question);
        if ('wanted' in question) return told;
        return whoCan(explain, caller, { ...question, external: await externalRules(deps, question.clusterId) });
      },
    },
  });
}

/** What Kubernetes' own roles, such as `view`, hold in this cluster: role templates may stand for them and know no rules. */
async function externalRules({ caches, clients }: ApiDeps, clusterId: string): Promise<ExternalRules> {
  const names: string[] = [];
  for (const { metadata, external } of caches.roleTemplate.all())
    if (external && names.length < mostExternal) names.push(metadata.name);
  const found = await Promise.all(
    names.map(async (name): Promise<[string, readonly PolicyRule[]]> => {
      const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${encodeURIComponent(name)}`;
      const role = await ignoreNotFound(clients.get(clusterId).request<{ rules?: PolicyRule[] }>('GET', path));
      return [name, role?.rules ?? []];
    }),
  );
  return new Map(found);
}

const mostExternal = 50;

/** A cluster of others is not there, here as elsewhere. */
function requireSeen({ auth }: ApiDeps, caller: Caller, clusterId: string | undefined): void {
  if (clusterId !== undefined && !auth.access.mayReach(caller, clusterId)) throw notFound('cluster', clusterId);
}

async function canI(deps: ApiDeps, caller: Caller, body: Body): Promise<CanI> {
  const { question, namespace, userId } = readQuestion(body);
  requireSeen(deps, caller, question.clusterId);
  const asked = userId === undefined || userId === caller.userId ? caller : actingAs(deps, caller, userId);
  const explain = { caches: deps.caches, access: deps.auth.access };
  if ('wanted' in question) {
    const by = decidedBy(explain, asked, question.wanted);
    if (by) return { allowed: true, by };
    return { allowed: false, mayGrant: mayGrant(explain, caller, question) };
  }
  // Whoever the server does not let through to the cluster can do nothing there, whatever it would say.
  if (!deps.auth.access.mayReach(asked, question.clusterId))
    return { allowed: false, mayGrant: mayGrant(explain, caller, question) };
  // What the cluster would say is what he has lost.
  if (deps.auth.access.isHeldBack(asked, question.clusterId))
    return { allowed: false, reason: 'the cluster has not confirmed yet what was taken away here' };
  const { allowed, reason } = await askCluster(deps, asked, { ...question, namespace });
  return { allowed, reason, ...(allowed ? {} : { mayGrant: mayGrant(explain, caller, question) }) };
}

/** Throws Forbidden unless the caller may impersonate the user; one text whether or not there is such a user. */
function actingAs({ auth, caches }: ApiDeps, caller: Caller, userId: string): Caller {
  const may = auth.access.allows(caller, 'impersonate', { group: '', resource: 'users', name: userId });
  if (!may || caller.clusterId !== undefined)
    throw forbidden(`you may not ask for user "${userId}": that needs the right to impersonate him`);
  if (!caches.user.get(userId)) throw notFound('user', userId);
  return { ...caller, ...subjectsOfUser(caches, userId) };
}

interface Inside {
  readonly verb: string;
  readonly clusterId: string;
  readonly namespace?: string;
  readonly attributes: { readonly group: string; readonly resource: string; readonly name?: string };
}

function askCluster(
  deps: ApiDeps,
  caller: Caller,
  { verb, clusterId, namespace, attributes }: Inside,
): Promise<AccessAnswer> {
  // Checks that the caller is somebody, as on every other way into a cluster.
  identityHeaders(caller);
  const { userId: user, groups, extra } = caller;
  const [resource, subresource] = attributes.resource.split('/');
  const { group, name } = attributes;
  const asked = { verb, namespace, group, resource: resource!, subresource, name };
  return reviewOwnAccess(deps.clients.get(clusterId).as({ user, groups, extra }), asked);
}
