/** Roles in v3: the built-in ones keep their rights, and no role gives more than whoever writes it has. */
import type { GlobalRole, RoleTemplate, V3Data } from '@drover/api';
import { conflict, forbidden, invalid } from '@drover/base';
import { requireMayWriteGlobalRole, requireMayWriteTemplate } from '../auth/index.ts';
import type { PolicyRule } from '../auth/rules.ts';
import { type ApiRequest, behaviour } from './behaviour.ts';

const escalation = ({ deps }: ApiRequest) => ({ access: deps.auth.access, caches: deps.caches });
const builtinMayChange: ReadonlySet<string> = new Set([
  'locked',
  'clusterCreatorDefault',
  'projectCreatorDefault',
  'newUserDefault',
  'labels',
  'annotations',
]);

/** Of a built-in role only a few switches change; the rest of what is sent is dropped, as clients of this API expect. */
function withinBuiltin(input: V3Data, builtin: boolean | undefined): V3Data {
  return builtin ? Object.fromEntries(Object.entries(input).filter(([name]) => builtinMayChange.has(name))) : input;
}

const rulesOf = (value: unknown) => (value ?? []) as PolicyRule[];

/** A rule that no cluster would take gives nothing anywhere: who writes one is told what it lacks. */
function requireWholeRules(input: V3Data, ...fields: readonly string[]): void {
  for (const field of fields) {
    for (const [index, rule] of rulesOf(input[field]).entries()) {
      const at = (name: string) => `${field}[${index}].${name}`;
      if (!rule.verbs?.length) throw invalid(at('verbs'), 'must name a verb, such as get', 'MissingRequired');
      if (rule.resources?.length && !rule.apiGroups?.length)
        throw invalid(at('apiGroups'), 'must name a group; the one of pods and services is ""', 'MissingRequired');
      if (!rule.resources?.length && !rule.nonResourceURLs?.length)
        throw invalid(at('resources'), 'must name a resource, unless there are nonResourceURLs', 'MissingRequired');
    }
  }
}

export const roleTemplates = behaviour<RoleTemplate>({
  repeatable: true,
  prepareCreate(request, input) {
    requireWholeRules(input, 'rules', 'externalRules');
    requireInherited(request, input['roleTemplateIds']);
    requireMayWriteTemplate(escalation(request), request.caller, templateRights(input));
    return input;
  },
  prepareUpdate(request, input, role) {
    const kept = withinBuiltin(input, role.builtin);
    requireWholeRules(kept, 'rules', 'externalRules');
    requireInherited(request, kept['roleTemplateIds'], role.roleTemplateNames);
    const next = { ...role, roleTemplateIds: role.roleTemplateNames, ...kept };
    requireMayWriteTemplate(escalation(request), request.caller, { name: role.metadata.name, ...templateRights(next) });
    return kept;
  },
  objections: { delete: (_, role) => builtinStays(role) },
  async remove(request, role) {
    const { name } = role.metadata;
    const { caches } = request.deps;
    const bound = [...caches.clusterRoleTemplateBinding.all(), ...caches.projectRoleTemplateBinding.all()].some(
      binding => binding.roleTemplateName === name,
    );
    const inherited = [...caches.roleTemplate.all()].some(other => other.roleTemplateNames?.includes(name));
    const everywhere = [...caches.globalRole.all()].some(role => role.inheritedClusterRoles?.includes(name));
    if (bound || inherited || everywhere)
      throw conflict('roleTemplate', name, 'it is in use by bindings or other roles');
    await request.deps.resources.delete('roleTemplate', { name });
  },
});

/** A role that inherits from one that is yet to be made would hold whatever somebody puts there later. */
function requireInherited({ deps: { caches } }: ApiRequest, names: unknown, before: readonly string[] = []): void {
  for (const name of (names ?? []) as string[])
    if (!before.includes(name) && !caches.roleTemplate.get(name))
      throw invalid('roleTemplateIds', `there is no role "${name}"`, 'InvalidReference');
}

function templateRights(input: V3Data) {
  return {
    rules: rulesOf(input['rules']),
    externalRules: rulesOf(input['externalRules']),
    roleTemplateNames: (input['roleTemplateIds'] ?? []) as string[],
    external: input['external'] === true,
  };
}

export const globalRoles = behaviour<GlobalRole>({
  repeatable: true,
  prepareCreate(request, input) {
    requireWholeRules(input, 'rules');
    requireForClusters(request, input['inheritedClusterRoles']);
    requireMayWriteGlobalRole(escalation(request), request.caller, globalRights(input));
    return input;
  },
  prepareUpdate(request, input, role) {
    const kept = withinBuiltin(input, role.builtin);
    requireWholeRules(kept, 'rules');
    requireForClusters(request, kept['inheritedClusterRoles'], role.inheritedClusterRoles);
    requireMayWriteGlobalRole(escalation(request), request.caller, {
      name: role.metadata.name,
      ...globalRights({ ...role, ...kept }),
    });
    return kept;
  },
  objections: { delete: (_, role) => builtinStays(role) },
  async remove(request, role) {
    const { name } = role.metadata;
    const bound = [...request.deps.caches.globalRoleBinding.all()].some(binding => binding.globalRoleName === name);
    if (bound) throw conflict('globalRole', name, 'it is in use by bindings');
    await request.deps.resources.delete('globalRole', { name });
  },
});

/** What a global role gives in every cluster must be a role for clusters that may be given. */
function requireForClusters({ deps: { caches } }: ApiRequest, names: unknown, before: readonly string[] = []): void {
  for (const name of (names ?? []) as string[]) {
    if (before.includes(name)) continue;
    const template = caches.roleTemplate.get(name);
    if (!template) throw invalid('inheritedClusterRoles', `there is no role "${name}"`, 'InvalidReference');
    if (template.context !== 'cluster')
      throw invalid('inheritedClusterRoles', `role ${name} is not for clusters`, 'InvalidBodyContent');
    if (template.locked) throw invalid('inheritedClusterRoles', `role ${name} is locked`, 'InvalidState');
  }
}

function globalRights(input: V3Data) {
  return {
    rules: rulesOf(input['rules']),
    namespacedRules: (input['namespacedRules'] ?? {}) as Record<string, PolicyRule[]>,
    inheritedClusterRoles: (input['inheritedClusterRoles'] ?? []) as string[],
  };
}

const builtinStays = ({ builtin }: { readonly builtin?: boolean }) =>
  builtin ? () => forbidden('a built-in role can’t be deleted') : undefined;
