/** Which types the API serves, and which behaviour each has. What is not here is not in `/v3/schemas` either. */
import { namespace, principal, type TypeDeclaration, type TypedResource, type TypeId, types } from '@drover/api';
import { namespaces } from '../live/namespaces.ts';
import { nodes } from '../live/nodes.ts';
import { projectSecretsServed } from '../live/project-secrets.ts';
import { liveServed } from '../live/served.ts';
import { authConfigTypes } from './auth-configs.ts';
import type { Behaviour, ServedType } from './behaviour.ts';
import { cloudCredentials } from './cloud-credentials.ts';
import { clusterRegistrationTokens } from './cluster-registration-tokens.ts';
import { clusters } from './clusters.ts';
import { composeConfigs } from './compose-configs.ts';
import { dynamicSchemas } from './dynamic-schemas.ts';
import { etcdBackups } from './etcd-backups.ts';
import { features } from './features.ts';
import { fleetWorkspaces } from './fleet-workspaces.ts';
import { groupMembers, groups } from './groups.ts';
import { kontainerDrivers } from './kontainer-drivers.ts';
import { managementSecrets } from './management-secrets.ts';
import { nodeDrivers } from './node-drivers.ts';
import { podSecurityTemplates } from './pod-security-templates.ts';
import { preferences } from './preferences.ts';
import { principals } from './principals.ts';
import { projectNetworkPolicies } from './project-network-policies.ts';
import { projects } from './projects.ts';
import { clusterRoleTemplateBindings, globalRoleBindings, projectRoleTemplateBindings } from './role-bindings.ts';
import { globalRoles, roleTemplates } from './roles.ts';
import { settings } from './settings.ts';
import { tokens } from './tokens.ts';
import { userNotifications } from './user-notifications.ts';
import { users } from './users.ts';

type Any = Behaviour<TypedResource<TypeId>>;

const stored: readonly (readonly [TypeId, unknown])[] = [
  ['cluster', clusters],
  ['clusterRegistrationToken', clusterRegistrationTokens],
  ['clusterRoleTemplateBinding', clusterRoleTemplateBindings],
  ['dynamicSchema', dynamicSchemas],
  ['etcdBackup', etcdBackups],
  ['feature', features],
  ['fleetWorkspace', fleetWorkspaces],
  ['globalRole', globalRoles],
  ['globalRoleBinding', globalRoleBindings],
  ['group', groups],
  ['groupMember', groupMembers],
  ['kontainerDriver', kontainerDrivers],
  ['node', nodes],
  ['nodeDriver', nodeDrivers],
  ['podSecurityAdmissionConfigurationTemplate', podSecurityTemplates],
  ['preference', preferences],
  ['project', projects],
  ['projectNetworkPolicy', projectNetworkPolicies],
  ['projectRoleTemplateBinding', projectRoleTemplateBindings],
  ['rancherUserNotification', userNotifications],
  ['roleTemplate', roleTemplates],
  ['setting', settings],
  ['token', tokens],
  ['user', users],
];

export const servedTypes: readonly ServedType[] = [
  ...stored.map(([id, behaviour]) => ({
    declaration: types[id] as TypeDeclaration,
    stored: id,
    behaviour: behaviour as Any,
  })),
  { declaration: types.cloudCredential as TypeDeclaration, behaviour: cloudCredentials as unknown as Any },
  { declaration: types.composeConfig as TypeDeclaration, behaviour: composeConfigs as unknown as Any },
  { declaration: types.managementSecret as TypeDeclaration, behaviour: managementSecrets as unknown as Any },
  { declaration: principal as TypeDeclaration, behaviour: principals as Any },
  { declaration: namespace as TypeDeclaration, behaviour: namespaces as Any, context: 'cluster' },
  ...authConfigTypes,
  ...liveServed,
  ...projectSecretsServed,
];

const byName = new Map<string, ServedType>();
for (const type of servedTypes) {
  byName.set(`${type.context ?? ''}/${type.declaration.id.toLowerCase()}`, type);
  byName.set(`${type.context ?? ''}/${type.declaration.pluralName.toLowerCase()}`, type);
}

/** The type of that id or plural, case ignored; a context's own types come before the general ones. */
export function findType(name: string, context?: 'cluster' | 'project'): ServedType | undefined {
  const key = name.toLowerCase();
  return (context ? byName.get(`${context}/${key}`) : undefined) ?? byName.get(`/${key}`);
}
