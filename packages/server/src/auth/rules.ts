/**
 * Policy rules as Kubernetes RBAC means them: what one allows, and whether some rules hold all that others grant.
 */

export interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs?: readonly string[];
}

/** One thing somebody wants to do; `resource` may hold a subresource: `users/status`. */
export interface Attributes {
  readonly group: string;
  readonly resource: string;
  readonly name?: string;
}

function ruleAllows(rule: PolicyRule, verb: string, attributes: Attributes): boolean {
  return has(rule.verbs, verb) && isAbout(rule, attributes) && hasName(rule.resourceNames, attributes.name);
}

/** Whether it is about such resources at all, whatever it allows and whichever names it singles out. */
export function isAbout(rule: PolicyRule, { group, resource }: Attributes): boolean {
  return has(rule.apiGroups, group) && hasResource(rule.resources, resource);
}

export function rulesAllow(rules: readonly PolicyRule[], verb: string, attributes: Attributes): boolean {
  for (const rule of rules) if (ruleAllows(rule, verb, attributes)) return true;
  return false;
}

/** The same of an address, such as `/metrics`: as it is called, without a query. */
export function rulesAllowUrl(rules: readonly PolicyRule[], verb: string, url: string): boolean {
  return rules.some(
    rule => has(rule.verbs, verb) && (rule.nonResourceURLs ?? []).some(pattern => urlCovers(pattern, url)),
  );
}

/** Whether the rules allow everything: resources of all groups, and all URLs besides. */
export function isEverything(rules: readonly PolicyRule[]): boolean {
  return rules.some(
    rule => star(rule.verbs) && star(rule.apiGroups) && star(rule.resources) && !rule.resourceNames?.length,
  );
}

/**
 * The first part of `wanted` that `held` does not hold, in words, or undefined where it holds all of it. A part is one
 * verb on one resource of one group (and one name): each must be held by a single rule, as in Kubernetes' own check.
 */
export function firstMissing(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): string | undefined {
  for (const rule of wanted) {
    for (const verb of rule.verbs ?? []) {
      const missing = missingResource(held, rule, verb) ?? missingUrl(held, rule, verb);
      if (missing) return missing;
    }
  }
  return undefined;
}

function missingResource(held: readonly PolicyRule[], rule: PolicyRule, verb: string): string | undefined {
  const names = rule.resourceNames?.length ? rule.resourceNames : [undefined];
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const name of names) {
        if (!rulesAllow(held, verb, { group, resource, name }))
          return `${verb} on ${resource}${group ? `.${group}` : ''}${name === undefined ? '' : ` "${name}"`}`;
      }
    }
  }
  return undefined;
}

function missingUrl(held: readonly PolicyRule[], rule: PolicyRule, verb: string): string | undefined {
  for (const url of rule.nonResourceURLs ?? []) {
    if (!rulesAllowUrl(held, verb, url)) return `${verb} on ${url}`;
  }
  return undefined;
}

function urlCovers(pattern: string, url: string): boolean {
  if (pattern === '*' || pattern === url) return true;
  return pattern.endsWith('*') && url.startsWith(pattern.slice(0, -1));
}

function star(values: readonly string[] | undefined): boolean {
  return values?.includes('*') ?? false;
}

function has(values: readonly string[] | undefined, value: string): boolean {
  return values !== undefined && (values.includes(value) || values.includes('*'));
}

/** `*` allows every resource and subresource, `pods` not `pods/exec`, and `*`+`/scale` that subresource of any. */
function hasResource(values: readonly string[] | undefined, resource: string): boolean {
  if (has(values, resource)) return true;
  const slash = resource.indexOf('/');
  return slash > 0 && (values?.includes(`*${resource.slice(slash)}`) ?? false);
}

/** Without a name (list, create) a rule for certain names allows nothing, unless the empty one is among them, as in Kubernetes. */
function hasName(names: readonly string[] | undefined, name = ''): boolean {
  return !names?.length || names.includes(name);
}
