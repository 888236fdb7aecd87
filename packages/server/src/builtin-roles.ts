/** The built-in roles: made at the first start, kept up to date at later ones, but for the switches that an admin may turn. */
import type { GlobalRole, RoleTemplate } from '@drover/api';
import { ignoreExists } from '@drover/base';
import builtin from '../data/builtin-roles.json' with { type: 'json' };
import type { Caches, Resources } from './resources/index.ts';

interface BuiltinRole {
  readonly id: string;
  readonly name: string;
  readonly context?: 'cluster' | 'project' | '';
  readonly rules?: GlobalRole['rules'];
  readonly externalRules?: GlobalRole['rules'];
  readonly roleTemplateIds?: readonly string[];
  readonly [flag: string]: unknown;
}

interface BuiltinRoles {
  readonly globalRoles: readonly BuiltinRole[];
  readonly roleTemplates: readonly BuiltinRole[];
}

/** Makes what is missing and renews rules that a newer version brings; writes nothing where all is as it should be. */
export async function ensureBuiltinRoles(resources: Resources, caches: Caches): Promise<void> {
  const { globalRoles, roleTemplates } = builtin as BuiltinRoles;
  await Promise.all([
    ...globalRoles.map(role => ensureGlobalRole(role, resources, caches)),
    ...roleTemplates.map(role => ensureRoleTemplate(role, resources, caches)),
  ]);
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? []) === JSON.stringify(b ?? []);
async function ensureGlobalRole(role: BuiltinRole, resources: Resources, caches: Caches): Promise<void> {
  const rules = role.rules ?? [];
  const there = caches.globalRole.get(role.id);
  if (there) {
    if (!same(there.rules, rules))
      await resources.modify('globalRole', { name: role.id }, seen => ({ ...seen, rules }));
    return;
  }
  const labels = { 'authz.management.cattle.io/bootstrapping': 'default-globalrole' };
  const made = { displayName: role.name, builtin: true, newUserDefault: role['newUserDefault'] === true, rules };
  await ignoreExists(resources.create('globalRole', { metadata: { name: role.id, labels }, ...made }));
}

async function ensureRoleTemplate(role: BuiltinRole, resources: Resources, caches: Caches): Promise<void> {
  const wanted: Partial<RoleTemplate> = { rules: role.rules ?? [], roleTemplateNames: role.roleTemplateIds ?? [] };
  const there = caches.roleTemplate.get(role.id);
  if (there) {
    if (same(there.rules, wanted.rules) && same(there.roleTemplateNames, wanted.roleTemplateNames)) return;
    await resources.modify('roleTemplate', { name: role.id }, seen => ({ ...seen, ...wanted }));
    return;
  }
  const flag = (name: string) => role[name] === true;
  await ignoreExists(
    resources.create('roleTemplate', {
      metadata: { name: role.id, labels: { 'authz.management.cattle.io/bootstrapping': 'default-roletemplate' } },
      displayName: role.name,
      builtin: true,
      ...(role.context ? { context: role.context } : {}),
      ...wanted,
      ...(role.externalRules ? { externalRules: role.externalRules } : {}),
      external: flag('external'),
      hidden: flag('hidden'),
      locked: flag('locked'),
      administrative: flag('administrative'),
      clusterCreatorDefault: flag('clusterCreatorDefault'),
      projectCreatorDefault: flag('projectCreatorDefault'),
    }),
  );
}
