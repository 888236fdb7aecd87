/** Bindings: who has which role, on the server, in a cluster, in a project. Their subject and role never change. */
import { reference, string } from '../field.ts';
import { defineType } from '../type.ts';
import { readOnly, subject } from './shared.ts';

const methods = { collectionMethods: ['GET', 'POST'], resourceMethods: ['GET', 'PUT', 'DELETE'] } as const;
const fixed = { required: true, update: false } as const;

export const globalRoleBinding = defineType({
  id: 'globalRoleBinding',
  pluralName: 'globalRoleBindings',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'GlobalRoleBinding',
  resource: 'globalrolebindings',
  scope: 'cluster',
  namePrefix: 'grb-',
  top: {
    globalRoleName: reference('globalRole', { as: 'globalRoleId', ...fixed }),
    userName: subject.userName,
    userPrincipalName: subject.userPrincipalName,
    groupPrincipalName: subject.groupPrincipalName,
  },
  v3: { ...methods, nameFrom: 'metadata' },
  columns: ['id', 'globalRoleId', 'userId', 'groupPrincipalId'],
});

export const clusterRoleTemplateBinding = defineType({
  id: 'clusterRoleTemplateBinding',
  pluralName: 'clusterRoleTemplateBindings',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'ClusterRoleTemplateBinding',
  resource: 'clusterroletemplatebindings',
  scope: 'namespaced',
  namePrefix: 'crtb-',
  top: {
    clusterName: reference('cluster', { as: 'clusterId', ...fixed }),
    roleTemplateName: reference('roleTemplate', { as: 'roleTemplateId', ...fixed }),
    ...subject,
  },
  v3: { ...methods, nameFrom: 'metadata', namespaceFrom: 'clusterId' },
  columns: ['id', 'clusterId', 'roleTemplateId', 'userId'],
});

export const projectRoleTemplateBinding = defineType({
  id: 'projectRoleTemplateBinding',
  pluralName: 'projectRoleTemplateBindings',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'ProjectRoleTemplateBinding',
  resource: 'projectroletemplatebindings',
  scope: 'namespaced',
  namePrefix: 'prtb-',
  top: {
    projectName: reference('project', { as: 'projectId', ...fixed }),
    roleTemplateName: reference('roleTemplate', { as: 'roleTemplateId', ...fixed }),
    ...subject,
    serviceAccount: string(readOnly),
  },
  v3: { ...methods, nameFrom: 'metadata', namespaceFrom: 'projectId' },
  columns: ['id', 'projectId', 'roleTemplateId', 'userId'],
});
