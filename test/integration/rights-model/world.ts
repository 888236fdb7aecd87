/**
 * World: all that decides who may do what, as plain maps. The model's side of the comparison: written from what the roles are
 * said to mean, and sharing no code with the server.
 */

export interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs?: readonly string[];
}

/** Whom a binding names: `user u-x`, `principal okta_user://x`, `group okta_group://dev`. */
export type Subject = `${'user' | 'principal' | 'group'} ${string}`;

export interface User {
  readonly principals: readonly string[];
  readonly groups: readonly string[];
  /** Kept by an identity provider, which alone may put him into its groups. */
  readonly provided: boolean;
}

export interface GlobalRole {
  readonly builtin: boolean;
  readonly rules: readonly Rule[];
  readonly inNamespaces: Readonly<Record<string, readonly Rule[]>>;
  readonly inEveryCluster: readonly string[];
}

export interface Template {
  readonly builtin: boolean;
  readonly context: string;
  readonly rules: readonly Rule[];
  readonly externalRules: readonly Rule[];
  readonly inherits: readonly string[];
  readonly external: boolean;
  readonly locked: boolean;
}

export interface Binding {
  readonly kind: 'global' | 'cluster' | 'project';
  /** A cluster's id or a project's; empty for the server. */
  readonly where: string;
  readonly role: string;
  readonly subject: Subject;
}

export interface World {
  readonly users: Map<string, User>;
  readonly globalRoles: Map<string, GlobalRole>;
  readonly templates: Map<string, Template>;
  readonly bindings: Map<string, Binding>;
  readonly clusters: Set<string>;
  /** `cluster:project`. */
  readonly projects: Set<string>;
  /** Which project a namespace is in, by `cluster namespace`. */
  readonly namespaces: Map<string, string | undefined>;
}

export const clusterOf = (projectId: string): string => projectId.split(':')[0]!;

/** Whether one rule allows one thing. A `*` stands for everything but a name; without a name a rule for names allows nothing. */
export function allows(rule: Rule, verb: string, group: string, resource: string, name?: string): boolean {
  const fits = (list: readonly string[] | undefined, wanted: string) =>
    (list ?? []).some(one => one === '*' || one === wanted);
  const sub = resource.indexOf('/');
  const inResources =
    fits(rule.resources, resource) || (sub > 0 && (rule.resources ?? []).includes(`*${resource.slice(sub)}`));
  const names = rule.resourceNames ?? [];
  const named = names.length === 0 || (name !== undefined && names.includes(name));
  return fits(rule.verbs, verb) && fits(rule.apiGroups, group) && inResources && named;
}

export const anyAllows = (rules: readonly Rule[], ...what: [string, string, string, string?]): boolean =>
  rules.some(rule => allows(rule, ...what));

/** A rule taken apart: one verb on one resource, or on one URL. */
export type Atom =
  | { readonly verb: string; readonly url: string }
  | { readonly verb: string; readonly group: string; readonly resource: string; readonly name: string | undefined };

export function atomsOf(rules: readonly Rule[]): Atom[] {
  const out: Atom[] = [];
  for (const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } of rules)
    for (const verb of verbs) {
      for (const url of nonResourceURLs) out.push({ verb, url });
      for (const group of apiGroups)
        for (const resource of resources)
          for (const name of resourceNames.length > 0 ? resourceNames : [undefined])
            out.push({ verb, group, resource, name });
    }
  return out;
}

export function holds(rules: readonly Rule[], atom: Atom): boolean {
  if (!('url' in atom)) return anyAllows(rules, atom.verb, atom.group, atom.resource, atom.name);
  return rules.some(
    ({ verbs = [], nonResourceURLs = [] }) =>
      (verbs.includes('*') || verbs.includes(atom.verb)) &&
      nonResourceURLs.some(own => own === atom.url || (own.endsWith('*') && atom.url.startsWith(own.slice(0, -1)))),
  );
}

export const holdsAll = (rules: readonly Rule[], wanted: readonly Rule[]): boolean =>
  atomsOf(wanted).every(atom => holds(rules, atom));
