/**
 * The naive evaluator: what everybody effectively holds, worked out from nothing each time it is asked. Slow and simple, so
 * that it can be believed.
 */
import { anyAllows, clusterOf, type Rule, type Template, type World } from './world.ts';

export const management = 'management.cattle.io';
const allMayRead = new Set(['get', 'list', 'watch']);

/** What somebody has in one cluster or project. */
export interface Part {
  readonly templates: ReadonlyMap<string, Template>;
  readonly rules: readonly Rule[];
  readonly owner: boolean;
}

export interface Rights {
  readonly admin: boolean;
  readonly server: readonly Rule[];
  readonly inNamespaces: ReadonlyMap<string, readonly Rule[]>;
  readonly clusters: ReadonlyMap<string, Part>;
  readonly projects: ReadonlyMap<string, Part>;
  readonly everyCluster: Part | undefined;
}

/** The template with all that it inherits. */
export function gather(world: World, id: string, into = new Map<string, Template>()): Map<string, Template> {
  const template = world.templates.get(id);
  if (!template || into.has(id)) return into;
  into.set(id, template);
  for (const next of template.inherits) gather(world, next, into);
  return into;
}

const makesOwner = (id: string, { builtin, rules }: Template): boolean =>
  (builtin && (id === 'cluster-owner' || id === 'project-owner')) ||
  rules.some(
    ({ verbs = [], apiGroups = [], resources = [] }) =>
      verbs.includes('own') &&
      apiGroups.includes(management) &&
      (resources.includes('clusters') || resources.includes('projects')),
  );

export const ownerIn = (templates: ReadonlyMap<string, Template>): boolean =>
  [...templates].some(([id, template]) => makesOwner(id, template));

export const rulesOf = (templates: ReadonlyMap<string, Template>): Rule[] =>
  [...templates.values()].flatMap(({ rules, externalRules }) => [...rules, ...externalRules]);

function partOf(world: World, roles: readonly string[]): Part {
  const templates = new Map<string, Template>();
  for (const role of roles) gather(world, role, templates);
  return { templates, rules: rulesOf(templates), owner: ownerIn(templates) };
}

/** Everything that is bound to the user, by his name, his principals or his groups. */
export function rightsOf(world: World, userId: string): Rights {
  const user = world.users.get(userId);
  const names = new Set<string>(
    user
      ? [
          `user ${userId}`,
          ...user.principals.map(name => `principal ${name}`),
          ...[...user.groups, 'system:authenticated', 'system:cattle:authenticated'].map(name => `group ${name}`),
        ]
      : [],
  );
  const mine = [...world.bindings.values()].filter(({ subject }) => names.has(subject));
  const roles = mine.flatMap(({ kind, role }) => (kind === 'global' ? (world.globalRoles.get(role) ?? []) : []));
  const server = roles.flatMap(({ rules }) => rules);
  const inNamespaces = new Map<string, Rule[]>();
  for (const role of roles)
    for (const [namespace, rules] of Object.entries(role.inNamespaces))
      inNamespaces.set(namespace, [...(inNamespaces.get(namespace) ?? []), ...rules]);
  const places = (kind: 'cluster' | 'project', there: ReadonlySet<string>) => {
    const parts = new Map<string, Part>();
    for (const where of there) {
      const bound = mine.filter(one => one.kind === kind && one.where === where && world.templates.has(one.role));
      if (bound.length > 0)
        parts.set(
          where,
          partOf(
            world,
            bound.map(({ role }) => role),
          ),
        );
    }
    return parts;
  };
  const everywhere = roles.flatMap(({ inEveryCluster }) => inEveryCluster).filter(id => world.templates.has(id));
  const isAll = ({ verbs = [], apiGroups = [], resources = [], resourceNames = [] }: Rule) =>
    verbs.includes('*') && apiGroups.includes('*') && resources.includes('*') && resourceNames.length === 0;
  return {
    admin: server.some(isAll),
    server,
    inNamespaces,
    clusters: places('cluster', world.clusters),
    projects: places('project', world.projects),
    everyCluster: everywhere.length > 0 ? partOf(world, everywhere) : undefined,
  };
}

/** What holds in all of the cluster: what was given there, and what is given in every cluster but `local`. */
export function partsIn(rights: Rights, cluster: string): Part[] {
  const general = cluster === 'local' ? undefined : rights.everyCluster;
  return [rights.clusters.get(cluster), general].filter(part => part !== undefined);
}

export const isOwner = (rights: Rights, cluster: string): boolean =>
  rights.admin || partsIn(rights, cluster).some(({ owner }) => owner);

export function reaches(world: World, rights: Rights, cluster: string): boolean {
  if (!world.clusters.has(cluster)) return false;
  return (
    rights.admin ||
    partsIn(rights, cluster).length > 0 ||
    [...rights.projects.keys()].some(project => clusterOf(project) === cluster)
  );
}

/** Something on the server: of a cluster, of a project, or of neither. */
export interface Thing {
  readonly resource: string;
  readonly name?: string;
  readonly cluster?: string;
  readonly project?: string;
}

const ofClusters = new Set([
  'clusterregistrationtokens',
  'clusterroletemplatebindings',
  'nodes',
  'projects',
  'projectroletemplatebindings',
]);

export function can(world: World, rights: Rights, verb: string, thing: Thing): boolean {
  const { resource, name, cluster, project } = thing;
  const byRule = (rules: readonly Rule[]) => anyAllows(rules, verb, management, resource, name);
  if (byRule(rights.server)) return true;
  const namespace = resource === 'projects' ? cluster : (project?.replace(':', '-') ?? cluster);
  if (resource !== 'clusters' && namespace && byRule(rights.inNamespaces.get(namespace) ?? [])) return true;
  if (resource === 'clusters')
    return name !== undefined && ((allMayRead.has(verb) && reaches(world, rights, name)) || isOwner(rights, name));
  if (!cluster || !ofClusters.has(resource)) return false;
  if (partsIn(rights, cluster).some(part => part.owner || byRule(part.rules))) return true;
  const part = rights.projects.get(project ?? '');
  if (!part || (resource !== 'projects' && resource !== 'projectroletemplatebindings')) return false;
  return (resource === 'projects' && allMayRead.has(verb)) || part.owner || byRule(part.rules);
}

export const sees = (world: World, rights: Rights, thing: Thing): boolean =>
  can(world, rights, 'list', thing) || can(world, rights, 'get', thing);
