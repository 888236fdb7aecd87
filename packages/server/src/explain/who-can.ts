/**
 * Who can: everybody whom a binding lets do something. Only bindings that the asker may see are told of, and
 * the answer says when there may be others.
 */
import { forbidden } from '@drover/base';
import { grantsAllow, type Wanted } from '../auth/access.ts';
import { type Bound, backingNamespaceOf, type Grants, grantsFrom } from '../auth/grants.ts';
import { grantsAllowInside } from '../auth/inside.ts';
import type { Attributes, PolicyRule } from '../auth/rules.ts';
import type { Caller } from '../http/exchange.ts';
import { namespaceIndex } from '../resources/index.ts';
import {
  type Deciding,
  describeBinding,
  type ExplainDeps,
  roleOf,
  type Subject,
  scopeOf,
  subjectOf,
} from './decision.ts';

/** Something wanted of the server itself, or inside of a cluster. */
export type Question = { readonly clusterId?: string; readonly projectId?: string } & (
  | { readonly wanted: Wanted }
  | {
      readonly verb: string;
      readonly attributes: Attributes;
      readonly clusterId: string;
      readonly external?: ExternalRules;
    }
);

/** Rules of roles that only the cluster knows, by role template. */
export type ExternalRules = ReadonlyMap<string, readonly PolicyRule[]>;

export interface Allowed extends Subject {
  readonly by: Deciding;
}

export interface WhoCan {
  readonly subjects: readonly Allowed[];
  /** False where bindings that the asker may not see can give it to others as well. */
  readonly complete: boolean;
}

const most = 1000;

/** Throws Forbidden for whoever may see no members there. */
export function whoCan(deps: ExplainDeps, caller: Caller, question: Question): WhoCan {
  const { access, caches } = deps;
  const { clusterId, projectId } = question;
  const seesGlobal = access.may(caller, 'list', 'globalRoleBinding');
  const seesCluster =
    clusterId !== undefined && access.may(caller, 'list', 'clusterRoleTemplateBinding', { namespace: clusterId });
  const seesProject =
    projectId !== undefined && access.may(caller, 'list', 'projectRoleTemplateBinding', { namespace: projectId });
  if (!seesGlobal && !seesCluster && !seesProject)
    throw forbidden(`you may not see who has rights ${clusterId === undefined ? 'on this server' : 'there'}`);
  const subjects: Allowed[] = [];
  const known = new Map<string, boolean>();
  for (const bound of candidates(deps, {
    ...question,
    seesGlobal,
    seesCluster,
    seesProject: seesProject || seesCluster,
  })) {
    if (subjects.length >= most) break;
    const key = `${bound.type} ${roleOf(bound)} ${scopeOf(bound)} ${bound.binding.metadata.namespace}`;
    let allows = known.get(key);
    if (allows === undefined) known.set(key, (allows = allowsAlone(deps, grantsFrom(caches, [bound]), question)));
    if (allows) subjects.push({ ...subjectOf(caches, bound.binding), by: describeBinding(bound) });
  }
  const complete = seesGlobal && (clusterId === undefined || seesCluster) && subjects.length < most;
  return { subjects, complete };
}

function allowsAlone({ caches }: ExplainDeps, grants: Grants, question: Question): boolean {
  if ('wanted' in question) return grantsAllow(caches, grants, question.wanted);
  return grantsAllowInside(caches, grants, question);
}

interface Seen {
  readonly clusterId?: string;
  readonly projectId?: string;
  readonly seesGlobal: boolean;
  readonly seesCluster: boolean;
  readonly seesProject: boolean;
}

/** The bindings that may matter and that the asker may see; those being deleted hold no longer. */
function* candidates({ caches }: ExplainDeps, seen: Seen): Generator<Bound> {
  const { clusterId, projectId } = seen;
  if (seen.seesGlobal) {
    for (const binding of caches.globalRoleBinding.all())
      if (!binding.metadata.deletionTimestamp) yield { type: 'globalRoleBinding', binding };
  }
  if (seen.seesCluster) {
    for (const binding of caches.clusterRoleTemplateBinding.by(namespaceIndex, clusterId!))
      if (binding.clusterName === clusterId && !binding.metadata.deletionTimestamp)
        yield { type: 'clusterRoleTemplateBinding', binding };
  }
  if (seen.seesProject && projectId !== undefined) {
    const [cluster, name = ''] = projectId.split(':');
    const project = caches.project.get(name, cluster);
    const places = new Set([name, ...(project ? [backingNamespaceOf(project)] : [])]);
    for (const binding of [...places].flatMap(place => caches.projectRoleTemplateBinding.by(namespaceIndex, place)))
      if (binding.projectName === projectId && !binding.metadata.deletionTimestamp)
        yield { type: 'projectRoleTemplateBinding', binding };
  }
}
