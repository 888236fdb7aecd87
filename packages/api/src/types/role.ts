/** Roles: what may be done, over the whole server (globalRole) or in a cluster or project (roleTemplate). */
import { array, map, oneOf, reference, string } from '../field.ts';
import { defineType } from '../type.ts';
import { falseByDefault, policyRule, readOnly } from './shared.ts';

const methods = { collectionMethods: ['GET', 'POST'], resourceMethods: ['GET', 'PUT', 'DELETE'] } as const;

export const globalRole = defineType({
  id: 'globalRole',
  pluralName: 'globalRoles',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'GlobalRole',
  resource: 'globalroles',
  scope: 'cluster',
  namePrefix: 'gr-',
  top: {
    displayName: string({ as: 'name', required: true }),
    description: string(),
    builtin: falseByDefault(readOnly),
    newUserDefault: falseByDefault({ required: true }),
    rules: array(policyRule),
    namespacedRules: map(array(policyRule)),
    inheritedClusterRoles: array(string()),
  },
  v3: { ...methods, nameFrom: 'displayName' },
  columns: ['id', 'name', 'builtin'],
});

export const roleTemplate = defineType({
  id: 'roleTemplate',
  pluralName: 'roleTemplates',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'RoleTemplate',
  resource: 'roletemplates',
  scope: 'cluster',
  namePrefix: 'rt-',
  top: {
    displayName: string({ as: 'name', required: true }),
    description: string(),
    context: { ...oneOf(['project', 'cluster']), type: 'string' },
    rules: array(policyRule),
    externalRules: array(policyRule),
    roleTemplateNames: array(reference('roleTemplate'), { as: 'roleTemplateIds' }),
    builtin: falseByDefault(readOnly),
    external: falseByDefault(),
    hidden: falseByDefault(),
    locked: falseByDefault(),
    administrative: falseByDefault(),
    clusterCreatorDefault: falseByDefault({ required: true }),
    projectCreatorDefault: falseByDefault({ required: true }),
  },
  v3: { ...methods, nameFrom: 'displayName' },
  columns: ['id', 'name', 'context', 'builtin'],
});
