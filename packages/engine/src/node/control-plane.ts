/** kube-apiserver, kube-controller-manager and kube-scheduler of one control plane, and the files that they read. */
import { serviceAccountKey } from '../pki/cluster-certs.ts';
import { clientUrl } from './etcd.ts';
import { binDir, etcdNodes, type HostInput, jsonFile, withExtras } from './host-input.ts';
import { certFile, keyFile, kubeconfigFile, signerFile } from './paths.ts';
import { makeUnit, type Unit, type WantedFile } from './unit.ts';

export const apiserverUnit = 'drover-kube-apiserver.service';
const encryptionFile = '/etc/kubernetes/ssl/encryption.yaml';
const admissionFile = '/etc/kubernetes/admission.yaml';
const auditPolicyFile = '/etc/kubernetes/audit-policy.yaml';
const webhookFile = '/etc/kubernetes/kube-api-authn-webhook.yaml';
const externalEtcd = 'kube-etcd-client';

/** What only control planes read beside certificates. */
export function controlPlaneFiles(input: HostInput): WantedFile[] {
  const { apiserver, etcd } = input.spec;
  if (!input.node.roles.includes('controlplane')) return [];
  const files: WantedFile[] = [];
  if (input.encryption !== undefined) files.push({ path: encryptionFile, content: input.encryption, mode: 0o600 });
  const admission = admissionConfiguration(input);
  if (admission) files.push(jsonFile(admissionFile, admission));
  if (apiserver.audit.enabled) files.push(jsonFile(auditPolicyFile, apiserver.audit.policy));
  if (apiserver.webhook) {
    const content = apiserver.webhook.configFile ?? webhookKubeconfig;
    files.push({ path: webhookFile, content, mode: 0o600 });
  }
  if (etcd.external) {
    files.push({ path: certFile(`${externalEtcd}-ca`), content: etcd.external.caCert, mode: 0o644 });
    files.push({ path: certFile(externalEtcd), content: etcd.external.cert, mode: 0o644 });
    files.push({ path: keyFile(externalEtcd), content: etcd.external.key.reveal(), mode: 0o600 });
  }
  return files;
}

export function controlPlaneUnits(input: HostInput, files: readonly WantedFile[]): Unit[] {
  if (!input.node.roles.includes('controlplane')) return [];
  return [apiserver(input, files), controllerManager(input, files), scheduler(input, files)];
}

function apiserver(input: HostInput, files: readonly WantedFile[]): Unit {
  const { spec, node } = input;
  const { apiserver: wanted } = spec;
  const bin = binDir(input);
  const plugins = ['NodeRestriction'];
  if (wanted.alwaysPullImages) plugins.push('AlwaysPullImages');
  if (wanted.eventRateLimit !== undefined) plugins.push('EventRateLimit');
  const { audit } = wanted;
  const computed = {
    'advertise-address': node.internalAddress,
    'bind-address': '0.0.0.0',
    'secure-port': '6443',
    'allow-privileged': 'true',
    'anonymous-auth': 'false',
    'authorization-mode': wanted.authorizationMode === 'none' ? 'AlwaysAllow' : 'Node,RBAC',
    'client-ca-file': certFile('kube-ca'),
    'enable-admission-plugins': plugins.join(','),
    ...etcdFlags(input),
    'etcd-prefix': '/registry',
    'kubelet-certificate-authority': certFile('kube-ca'),
    'kubelet-client-certificate': certFile('kube-apiserver-kubelet-client'),
    'kubelet-client-key': keyFile('kube-apiserver-kubelet-client'),
    'kubelet-preferred-address-types': 'InternalIP,ExternalIP,Hostname',
    profiling: 'false',
    'proxy-client-cert-file': certFile('kube-apiserver-proxy-client'),
    'proxy-client-key-file': keyFile('kube-apiserver-proxy-client'),
    'requestheader-allowed-names': 'kube-apiserver-proxy-client',
    'requestheader-client-ca-file': certFile('kube-apiserver-requestheader-ca'),
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-username-headers': 'X-Remote-User',
    'service-account-issuer': `https://kubernetes.default.svc.${spec.kubelet.clusterDomain}`,
    'service-account-key-file': certFile(serviceAccountKey),
    'service-account-signing-key-file': keyFile(serviceAccountKey),
    'service-cluster-ip-range': wanted.serviceCidr,
    'service-node-port-range': wanted.nodePortRange,
    // Time for balancers to see that it is not ready any more, while it still answers.
    'shutdown-delay-duration': '5s',
    // Without it, watches are told nothing and hold up its end for as long as it may take.
    'shutdown-watch-termination-grace-period': '10s',
    'tls-cert-file': certFile('kube-apiserver'),
    'tls-private-key-file': keyFile('kube-apiserver'),
    'admission-control-config-file': files.some(({ path }) => path === admissionFile) ? admissionFile : undefined,
    'encryption-provider-config': input.encryption === undefined ? undefined : encryptionFile,
    'audit-policy-file': audit.enabled ? auditPolicyFile : undefined,
    'audit-log-path': audit.enabled ? audit.path : undefined,
    'audit-log-maxage': audit.enabled ? String(audit.maxAgeDays) : undefined,
    'audit-log-maxbackup': audit.enabled ? String(audit.maxBackups) : undefined,
    'audit-log-maxsize': audit.enabled ? String(audit.maxSizeMb) : undefined,
    'authentication-token-webhook-config-file': wanted.webhook ? webhookFile : undefined,
    'authentication-token-webhook-cache-ttl': wanted.webhook?.cacheTimeout,
  };
  return makeUnit({
    name: apiserverUnit,
    description: 'Kubernetes API server',
    binDir: bin,
    command: `${bin}/kube-apiserver`,
    args: withExtras(computed, wanted),
    env: wanted.extraEnv,
    after: ['drover-etcd.service'],
    // It would wait a minute for an etcd that is gone; by then what was asked of it is long answered.
    service: ['TimeoutStopSec=30'],
    files,
    health: { kind: 'https', port: 6443, path: '/readyz', host: node.internalAddress },
  });
}

function etcdFlags({ spec, node }: HostInput): Record<string, string> {
  const { external } = spec.etcd;
  if (external) {
    return {
      'etcd-servers': external.urls.join(','),
      'etcd-cafile': certFile(`${externalEtcd}-ca`),
      'etcd-certfile': certFile(externalEtcd),
      'etcd-keyfile': keyFile(externalEtcd),
    };
  }
  // The member on the same host is asked first: it is there when the network is not.
  const members = etcdNodes(spec).sort((a, b) => Number(b.name === node.name) - Number(a.name === node.name));
  return {
    'etcd-servers': members.map(clientUrl).join(','),
    'etcd-cafile': certFile('kube-etcd-ca'),
    'etcd-certfile': certFile('kube-apiserver-etcd-client'),
    'etcd-keyfile': keyFile('kube-apiserver-etcd-client'),
  };
}

function controllerManager(input: HostInput, files: readonly WantedFile[]): Unit {
  const { spec } = input;
  const bin = binDir(input);
  const kubeconfig = kubeconfigFile('kube-controller-manager');
  return makeUnit({
    name: 'drover-kube-controller-manager.service',
    description: 'Kubernetes controller manager',
    binDir: bin,
    command: `${bin}/kube-controller-manager`,
    args: withExtras(
      {
        'allocate-node-cidrs': 'true',
        'authentication-kubeconfig': kubeconfig,
        'authorization-kubeconfig': kubeconfig,
        'bind-address': '127.0.0.1',
        'cluster-cidr': spec.controllerManager.clusterCidr,
        'cluster-signing-cert-file': signerFile,
        'cluster-signing-key-file': keyFile('kube-ca'),
        kubeconfig,
        'leader-elect': 'true',
        'node-monitor-grace-period': '40s',
        profiling: 'false',
        'root-ca-file': certFile('kube-ca'),
        'service-account-private-key-file': keyFile(serviceAccountKey),
        'service-cluster-ip-range': spec.apiserver.serviceCidr,
        'terminated-pod-gc-threshold': '1000',
        'use-service-account-credentials': 'true',
      },
      spec.controllerManager,
    ),
    env: spec.controllerManager.extraEnv,
    after: [apiserverUnit],
    files,
    health: { kind: 'https', port: 10257, path: '/healthz' },
  });
}

function scheduler(input: HostInput, files: readonly WantedFile[]): Unit {
  const { spec } = input;
  const bin = binDir(input);
  const kubeconfig = kubeconfigFile('kube-scheduler');
  return makeUnit({
    name: 'drover-kube-scheduler.service',
    description: 'Kubernetes scheduler',
    binDir: bin,
    command: `${bin}/kube-scheduler`,
    args: withExtras(
      {
        'authentication-kubeconfig': kubeconfig,
        'authorization-kubeconfig': kubeconfig,
        'bind-address': '127.0.0.1',
        kubeconfig,
        'leader-elect': 'true',
        profiling: 'false',
      },
      spec.scheduler,
    ),
    env: spec.scheduler.extraEnv,
    after: [apiserverUnit],
    files,
    health: { kind: 'https', port: 10259, path: '/healthz' },
  });
}

function admissionConfiguration({ spec }: HostInput): unknown {
  const { podSecurity, eventRateLimit, admissionConfiguration } = spec.apiserver;
  // Somebody's own one is taken whole.
  if (admissionConfiguration !== undefined) return admissionConfiguration;
  const plugins: { name: string; configuration: unknown }[] = [];
  if (podSecurity === 'restricted') plugins.push({ name: 'PodSecurity', configuration: restrictedPods });
  if (eventRateLimit !== undefined) plugins.push({ name: 'EventRateLimit', configuration: eventRateLimit });
  if (plugins.length === 0) return undefined;
  return { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins };
}

const restrictedPods = {
  apiVersion: 'pod-security.admission.config.k8s.io/v1',
  kind: 'PodSecurityConfiguration',
  defaults: {
    enforce: 'restricted',
    'enforce-version': 'latest',
    audit: 'restricted',
    'audit-version': 'latest',
    warn: 'restricted',
    'warn-version': 'latest',
  },
  exemptions: {
    usernames: [],
    runtimeClasses: [],
    namespaces: [
      'kube-system',
      'kube-node-lease',
      'kube-public',
      'cattle-system',
      'cattle-fleet-system',
      'ingress-nginx',
    ],
  },
};

/** Where kube-api-auth answers on each control plane. */
const webhookKubeconfig = `${JSON.stringify(
  {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'Default', cluster: { server: 'http://127.0.0.1:6440/v1/authenticate' } }],
    users: [{ name: 'Default', user: {} }],
    contexts: [{ name: 'webhook', context: { cluster: 'Default', user: 'Default' } }],
    'current-context': 'webhook',
  },
  undefined,
  2,
)}\n`;
