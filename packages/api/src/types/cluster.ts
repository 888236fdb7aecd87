/** Cluster: one Kubernetes cluster that Drover manages; `local` is the one it runs itself. */
import { array, boolean, dnsLabel, int, map, open, string, struct } from '../field.ts';
import { defineType } from '../type.ts';
import { conditions, falseByDefault, readOnly } from './shared.ts';

const versionInfo = struct(
  'info',
  {
    buildDate: string(),
    compiler: string(),
    gitCommit: string(),
    gitTreeState: string(),
    gitVersion: string(),
    goVersion: string(),
    major: string(),
    minor: string(),
    platform: string(),
  },
  readOnly,
);

const componentStatus = struct('clusterComponentStatus', {
  name: string(),
  conditions: array(
    struct('componentCondition', { error: string(), message: string(), status: string(), type: string() }),
  ),
});

const count = { ...readOnly, nullable: false, default: 0 } as const;

export const cluster = defineType({
  id: 'cluster',
  pluralName: 'clusters',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'Cluster',
  resource: 'clusters',
  scope: 'cluster',
  namePrefix: 'c-',
  unique: { field: 'displayName', unless: 'internal', label: 'Cluster name' },
  spec: {
    displayName: dnsLabel({ as: 'name' }),
    description: string(),
    internal: falseByDefault(readOnly),
    agentImageOverride: string(),
    /** Lets the namespaces of each project be reached from their own project alone. */
    enableNetworkPolicy: boolean({ default: false }),
    /** The template of which pods may run where a namespace says nothing of its own. */
    defaultPodSecurityAdmissionConfigurationTemplateName: string(),
    /** How a cluster on hosts shall be; the engine reads it. Without its secrets, which stand below. */
    rancherKubernetesEngineConfig: open('rancherKubernetesEngineConfig'),
    /** By their place in it. */
    engineSecrets: map(string(), { secret: true, create: false, update: false }),
    /** The workspace that it is in. */
    fleetWorkspaceName: string(),
    /** Lets clients reach the cluster's own kube-apiserver with a token of this server. */
    localClusterAuthEndpoint: struct('localClusterAuthEndpoint', {
      enabled: falseByDefault(),
      /** `host` or `host:port` of a load balancer before the kube-apiservers. */
      fqdn: string(),
      /** PEM of what vouches for it; empty where the cluster's own CA does. */
      caCerts: string(),
    }),
  },
  status: {
    conditions: conditions('clusterCondition'),
    /** `imported`, `local`, … */
    driver: string(readOnly),
    provider: string(readOnly),
    apiEndpoint: string(readOnly),
    caCert: string(readOnly),
    /** Names the Secret with the service-account token that a foreign agent handed over; our own keeps its token. */
    serviceAccountTokenSecret: string(readOnly),
    /** The UID of the cluster's kube-system namespace: a re-registration must come from the same cluster. */
    clusterUid: string(readOnly),
    agentImage: string(readOnly),
    appliedEnableNetworkPolicy: falseByDefault(readOnly),
    agentVersion: string(readOnly),
    /** By the certificate's name. */
    certificatesExpiration: map(struct('certExpiration', { expirationDate: string() }), readOnly),
    version: versionInfo,
    componentStatuses: array(componentStatus, readOnly),
    capacity: map(string(), readOnly),
    allocatable: map(string(), readOnly),
    requested: map(string(), readOnly),
    limits: map(string(), readOnly),
    usage: map(string(), readOnly),
    nodeCount: int(count),
    linuxWorkerCount: int(count),
    windowsWorkerCount: int(count),
  },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    resourceActions: {
      backupEtcd: {},
      exportYaml: { output: 'exportOutput' },
      generateKubeconfig: { output: 'generateKubeConfigOutput' },
      importYaml: { input: 'importClusterYamlInput', output: 'importYamlOutput' },
      restoreFromEtcdBackup: { input: 'restoreFromEtcdBackupInput' },
      rotateCertificates: { input: 'rotateCertificateInput', output: 'rotateCertificateOutput' },
      rotateEncryptionKey: { output: 'rotateEncryptionKeyOutput' },
    },
    status: 'lifted',
    nameFrom: 'displayName',
  },
  columns: ['id', 'name', 'state', 'driver', 'version.gitVersion', 'nodeCount'],
});
