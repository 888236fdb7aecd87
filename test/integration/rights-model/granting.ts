/**
 * Giving, by the naive evaluator: who may write which role, bind it, and act on whom. Also what it means that somebody's rights
 * have grown.
 */
import {
  gather,
  isOwner,
  management,
  ownerIn,
  type Part,
  partsIn,
  type Rights,
  reaches,
  rightsOf,
  rulesOf,
} from './evaluator.ts';
import { anyAllows, atomsOf, clusterOf, holds, holdsAll, type Rule, type Template, type World } from './world.ts';

/** Kubernetes' own roles hold each other: whoever has the first of a line has the rest of it. */
const lines: Readonly<Record<string, readonly string[]>> = {
  'cluster-admin': ['admin', 'edit', 'view'],
  admin: ['edit', 'view'],
  edit: ['view'],
};

/** What a project's role gives outside of namespaces, and what says who may do what: no owner gives it unless he has it. */
const outside: readonly (readonly [group: string, resource: string])[] = [
  ['', 'nodes'],
  ['', 'persistentvolumes'],
  ['', 'namespaces'],
  ['storage.k8s.io', 'storageclasses'],
  ['apiregistration.k8s.io', 'apiservices'],
  ['ui.cattle.io', 'navlinks'],
  ['catalog.cattle.io', 'clusterrepos'],
];

const inNamespacesAlone = ({ apiGroups = [], resources = [], nonResourceURLs = [] }: Rule): boolean =>
  nonResourceURLs.length === 0 &&
  !apiGroups.includes('*') &&
  !resources.includes('*') &&
  !apiGroups.includes(management) &&
  !apiGroups.some(group => outside.some(([other, resource]) => group === other && resources.includes(resource)));

/** What whoever holds the built-in project-owner may give there although it is not his: built-in roles for projects. */
function shippedForProjects(world: World): Rule[] {
  const whole = [...world.templates].filter(
    ([id, { builtin, context, locked }]) =>
      builtin && context === 'project' && !locked && [...gather(world, id).values()].every(one => one.builtin),
  );
  return whole.flatMap(([, { rules, externalRules }]) => [...rules, ...externalRules].filter(inNamespacesAlone));
}

interface Place {
  readonly cluster?: string;
  readonly project?: string;
}

/** All that counts in the place as somebody's own when he gives; of what he has on the server only the server's own kinds. */
function heldIn(world: World, rights: Rights, { cluster, project }: Place): { rules: Rule[]; templates: Set<string> } {
  const serverKinds = rights.server
    .filter(({ apiGroups = [] }) => apiGroups.includes(management) || apiGroups.includes('*'))
    .map(({ verbs, resources, resourceNames }) => ({ apiGroups: [management], verbs, resources, resourceNames }));
  const parts: Part[] = cluster === undefined ? [] : partsIn(rights, cluster);
  const own = rights.projects.get(project ?? '');
  if (own) parts.push(own);
  const shipped = own?.templates.get('project-owner')?.builtin ? shippedForProjects(world) : [];
  const templates = new Set(parts.flatMap(part => [...part.templates.keys()]));
  for (const id of [...templates]) for (const inner of lines[id] ?? []) templates.add(inner);
  return { rules: [...serverKinds, ...parts.flatMap(({ rules }) => rules), ...shipped], templates };
}

const hidden = ({ external, externalRules }: Template): boolean => external && externalRules.length === 0;

const everything: readonly Rule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
];

/** Whoever owns a cluster by the verb `own` has inside of it what his roles say, and no more. */
const ownsAll = (rights: Rights, cluster: string): boolean =>
  rights.admin ||
  (isOwner(rights, cluster) &&
    holdsAll(
      partsIn(rights, cluster).flatMap(({ rules }) => rules),
      everything,
    ));

const ownsThere = (rights: Rights, { cluster, project }: Place): boolean =>
  (cluster !== undefined && isOwner(rights, cluster)) || rights.projects.get(project ?? '')?.owner === true;

/** Whether all of these templates are somebody's own in the place. */
function hasAll(world: World, rights: Rights, templates: ReadonlyMap<string, Template>, place: Place): boolean {
  const { cluster } = place;
  if (rights.admin || (cluster !== undefined && ownsAll(rights, cluster))) return true;
  const held = heldIn(world, rights, place);
  if ([...templates].some(([id, template]) => hidden(template) && !held.templates.has(id))) return false;
  if (ownerIn(templates) && !ownsThere(rights, place)) return false;
  return holdsAll(held.rules, rulesOf(templates));
}

export function mayBind(world: World, rights: Rights, role: string, place: { cluster: string; project?: string }) {
  const template = world.templates.get(role);
  if (!template || template.locked || !reaches(world, rights, place.cluster)) return false;
  if (place.project !== undefined && !world.projects.has(place.project)) return false;
  if (template.context && template.context !== (place.project === undefined ? 'cluster' : 'project')) return false;
  return hasAll(world, rights, gather(world, role), place);
}

export interface GlobalDraft {
  readonly rules: readonly Rule[];
  readonly inNamespaces: Readonly<Record<string, readonly Rule[]>>;
  readonly inEveryCluster: readonly string[];
}

/** Whether all of a global role is somebody's own. */
export function hasGlobal(rights: Rights, { rules, inNamespaces, inEveryCluster }: GlobalDraft): boolean {
  if (rights.admin) return true;
  return inEveryCluster.length === 0 && holdsAll(rights.server, [...rules, ...Object.values(inNamespaces).flat()]);
}

const overrides = (rights: Rights, verb: string, resource: string, name?: string): boolean =>
  anyAllows(rights.server, verb, management, resource, name);

export const mayBindGlobal = (world: World, rights: Rights, role: string): boolean => {
  const found = world.globalRoles.get(role);
  return found !== undefined && (overrides(rights, 'bind', 'globalroles', role) || hasGlobal(rights, found));
};

export const mayWriteGlobal = (rights: Rights, draft: GlobalDraft, name?: string): boolean =>
  overrides(rights, 'escalate', 'globalroles', name) || hasGlobal(rights, draft);

/** A template may be bound anywhere, by now or later: what is put into it must be held everywhere. */
export function mayWriteTemplate(world: World, rights: Rights, draft: Template, name?: string): boolean {
  const inherited = new Map<string, Template>();
  for (const id of draft.inherits) {
    if (!world.templates.has(id)) return false;
    gather(world, id, inherited);
  }
  if (name !== undefined && inherited.has(name)) return false;
  if (rights.admin || overrides(rights, 'escalate', 'roletemplates', name)) return true;
  if (draft.externalRules.length > 0) return false;
  const all = new Map([...inherited, [name ?? '', draft]]);
  if ([...all.values()].some(hidden) || ownerIn(all)) return false;
  return holdsAll(heldIn(world, rights, {}).rules, rulesOf(all));
}

/** The first thing that somebody has and none of the others does, or undefined. */
export function excess(world: World, rights: Rights, others: readonly Rights[]): string | undefined {
  if (others.some(({ admin }) => admin)) return undefined;
  if (rights.admin) return 'everything';
  const over = (rules: readonly Rule[], what: string, held: (other: Rights) => readonly Rule[]) => {
    const theirs = others.map(held);
    const atom = atomsOf(rules).find(one => !theirs.some(own => holds(own, one)));
    return atom && `${JSON.stringify(atom)} ${what}`;
  };
  const overPart = (part: Part, place: Place & { readonly cluster: string }): string | undefined => {
    const what = `in ${place.project ?? place.cluster}`;
    if (!others.some(other => place.cluster === anyCluster || reaches(world, other, place.cluster)))
      return `the way ${what}`;
    if (others.some(other => ownsAll(other, place.cluster))) return undefined;
    if (part.owner && !others.some(other => ownsThere(other, place))) return `ownership ${what}`;
    const held = others.map(other => heldIn(world, other, place));
    const unknown = [...part.templates].find(
      ([id, template]) => hidden(template) && !held.some(({ templates }) => templates.has(id)),
    );
    return unknown ? `role ${unknown[0]} ${what}` : over(part.rules, what, other => heldIn(world, other, place).rules);
  };
  const found = [over(rights.server, 'on the server', other => other.server)];
  for (const [namespace, rules] of rights.inNamespaces)
    found.push(
      over(rules, `in ${namespace}`, other => [...other.server, ...(other.inNamespaces.get(namespace) ?? [])]),
    );
  if (rights.everyCluster) found.push(overPart(rights.everyCluster, { cluster: anyCluster }));
  for (const [cluster, part] of rights.clusters) found.push(overPart(part, { cluster }));
  for (const [project, part] of rights.projects) found.push(overPart(part, { cluster: clusterOf(project), project }));
  return found.find(one => one !== undefined);
}

/** Stands for each cluster but `local`: what somebody has in single ones is not held there. */
const anyCluster = '*';

/** Whether one user may do to another what would let him become the other, or stop him. */
export function mayActOn(world: World, rights: Rights, other: string): boolean {
  if (rights.admin) return true;
  const theirs = rightsOf(world, other);
  if (theirs.admin) return false;
  return overrides(rights, 'manage-users', 'users', other) || excess(world, theirs, [rights]) === undefined;
}

/** Rights that are made to give others more than one has: the property is not about those who have them. */
export const mayRaise = (rights: Rights): boolean =>
  rights.admin ||
  rights.server.some(rule =>
    (
      [
        ['bind', 'globalroles'],
        ['escalate', 'globalroles'],
        ['escalate', 'roletemplates'],
        ['manage-users', 'users'],
      ] as const
    ).some(([verb, resource]) =>
      (rule.resourceNames ?? [undefined]).some(name => anyAllows([rule], verb, management, resource, name)),
    ),
  );
