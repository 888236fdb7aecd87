/** Schemas of what actions take and give. */
import { boolean, type Field, int, oneOf, reference, type SchemaFields, string, toSchemaField } from '@drover/api';
import rkeSchemas from '../../data/rke-schemas.json' with { type: 'json' };

const schema = (fields: Readonly<Record<string, Field>>): SchemaFields =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, toSchemaField(field)]));

export const inputSchemas: Readonly<Record<string, SchemaFields>> = {
  authConfigLogoutInput: schema({ finalRedirectUrl: string() }),
  authConfigLogoutOutput: schema({ idpRedirectUrl: string() }),
  changePasswordInput: schema({ currentPassword: string({ required: true }), newPassword: string({ required: true }) }),
  exportOutput: schema({ yamlOutput: string() }),
  generateKubeConfigOutput: schema({ config: string() }),
  importClusterYamlInput: schema({
    defaultNamespace: string(),
    namespace: string(),
    projectId: reference('project'),
    yaml: string(),
  }),
  importYamlOutput: schema({ message: string() }),
  namespaceMove: schema({ projectId: string() }),
  nodeDrainInput: schema({
    deleteLocalData: boolean(),
    force: boolean(),
    gracePeriod: int(),
    ignoreDaemonSets: boolean(),
    timeout: int(),
  }),
  restoreFromEtcdBackupInput: schema({ etcdBackupId: reference('etcdBackup'), restoreRkeConfig: string() }),
  rotateCertificateInput: schema({
    caCertificates: boolean({ nullable: false, default: false }),
    services: oneOf(['etcd', 'kubelet', 'kube-apiserver', 'kube-proxy', 'kube-scheduler', 'kube-controller-manager']),
  }),
  rotateCertificateOutput: schema({ message: string() }),
  rotateEncryptionKeyOutput: schema({ message: string() }),
  searchPrincipalsInput: schema({
    name: string({ required: true }),
    principalType: { type: 'enum', options: ['user', 'group'] },
  }),
  setPasswordInput: schema({ newPassword: string({ required: true }) }),
  ownerReference: schema({
    apiVersion: string(),
    kind: string(),
    name: string(),
    uid: string(),
    controller: boolean(),
    blockOwnerDeletion: boolean(),
  }),
};

/** What `rancherKubernetesEngineConfig` is made of. The engine reads it itself, option by option. */
export const engineSchemas: Readonly<Record<string, SchemaFields>> = rkeSchemas as Readonly<
  Record<string, SchemaFields>
>;
