/** Every declared type. A type that no code gives behaviour to is not declared. */

import type { ResourceOf, TypeDeclaration } from './type.ts';
import { authConfig } from './types/auth-config.ts';
import { cloudCredential } from './types/cloud-credential.ts';
import { cluster } from './types/cluster.ts';
import { clusterRegistrationToken } from './types/cluster-registration-token.ts';
import { composeConfig } from './types/compose-config.ts';
import { dynamicSchema } from './types/dynamic-schema.ts';
import { etcdBackup } from './types/etcd-backup.ts';
import { feature } from './types/feature.ts';
import { fleetWorkspace } from './types/fleet-workspace.ts';
import { group, groupMember } from './types/group.ts';
import { kontainerDriver } from './types/kontainer-driver.ts';
import { managementSecret } from './types/management-secret.ts';
import { node } from './types/node.ts';
import { nodeDriver } from './types/node-driver.ts';
import { podSecurityAdmissionConfigurationTemplate } from './types/pod-security.ts';
import { preference } from './types/preference.ts';
import { project } from './types/project.ts';
import { projectNetworkPolicy } from './types/project-network-policy.ts';
import { projectSecret } from './types/project-secret.ts';
import { globalRole, roleTemplate } from './types/role.ts';
import { clusterRoleTemplateBinding, globalRoleBinding, projectRoleTemplateBinding } from './types/role-binding.ts';
import { scimGroup } from './types/scim-group.ts';
import { secret } from './types/secret.ts';
import { setting } from './types/setting.ts';
import { samlToken, usedAssertion } from './types/sign-in.ts';
import { token } from './types/token.ts';
import { user, userAttribute } from './types/user.ts';
import { rancherUserNotification } from './types/user-notification.ts';

export const types = {
  authConfig,
  cloudCredential,
  cluster,
  clusterRegistrationToken,
  clusterRoleTemplateBinding,
  composeConfig,
  dynamicSchema,
  etcdBackup,
  feature,
  fleetWorkspace,
  globalRole,
  globalRoleBinding,
  group,
  groupMember,
  kontainerDriver,
  managementSecret,
  node,
  nodeDriver,
  podSecurityAdmissionConfigurationTemplate,
  preference,
  project,
  projectNetworkPolicy,
  projectRoleTemplateBinding,
  projectSecret,
  rancherUserNotification,
  roleTemplate,
  samlToken,
  scimGroup,
  secret,
  setting,
  token,
  usedAssertion,
  user,
  userAttribute,
} as const satisfies Record<string, TypeDeclaration>;

export type TypeId = keyof typeof types;
export type TypedResource<Id extends TypeId> = ResourceOf<(typeof types)[Id]>;

export type CloudCredential = TypedResource<'cloudCredential'>;
export type Cluster = TypedResource<'cluster'>;
export type ClusterRegistrationToken = TypedResource<'clusterRegistrationToken'>;
export type ClusterRoleTemplateBinding = TypedResource<'clusterRoleTemplateBinding'>;
export type ComposeConfig = TypedResource<'composeConfig'>;
export type DynamicSchema = TypedResource<'dynamicSchema'>;
export type EtcdBackup = TypedResource<'etcdBackup'>;
export type Feature = TypedResource<'feature'>;
export type FleetWorkspace = TypedResource<'fleetWorkspace'>;
export type GlobalRole = TypedResource<'globalRole'>;
export type GlobalRoleBinding = TypedResource<'globalRoleBinding'>;
export type Group = TypedResource<'group'>;
export type GroupMember = TypedResource<'groupMember'>;
export type KontainerDriver = TypedResource<'kontainerDriver'>;
export type ManagementSecret = TypedResource<'managementSecret'>;
export type ManagedNode = TypedResource<'node'>;
export type NodeDriver = TypedResource<'nodeDriver'>;
export type PodSecurityTemplate = TypedResource<'podSecurityAdmissionConfigurationTemplate'>;
export type Preference = TypedResource<'preference'>;
export type Project = TypedResource<'project'>;
export type ProjectNetworkPolicy = TypedResource<'projectNetworkPolicy'>;
export type ProjectRoleTemplateBinding = TypedResource<'projectRoleTemplateBinding'>;
export type ProjectSecret = TypedResource<'projectSecret'>;
export type RoleTemplate = TypedResource<'roleTemplate'>;
export type ScimGroup = TypedResource<'scimGroup'>;
export type SecretResource = TypedResource<'secret'>;
export type Setting = TypedResource<'setting'>;
export type Token = TypedResource<'token'>;
export type User = TypedResource<'user'>;
export type UserAttribute = TypedResource<'userAttribute'>;
