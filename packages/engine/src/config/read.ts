/**
 * Reads `rancher-cluster.yml`, or the same as the v3 API has it, into the wanted cluster. All problems are told at once, each with its
 * place; what does nothing here is a warning, never silence.
 */
import { invalid, messageOf, Secret } from '@drover/base';
import { checkSpec } from './check.ts';
import { readNodes, readSsh } from './read-nodes.ts';
import { clusterOptions } from './schema.ts';
import type { ClusterSpec, ConfigWarning, DrainInput, ServiceExtras } from './spec.ts';
import { number, sub, text, texts } from './tree.ts';
import { type Problem, type Tree, walk } from './walk.ts';

export interface ReadOptions {
  /** Paths in the file are relative to it. */
  readonly dir: string;
  /** Name of the cluster where the file has none. */
  readonly name?: string;
  /** Whatever the file says, keys come from an ssh-agent, or none is needed. */
  readonly useAgent?: boolean;
}

export interface ReadCluster {
  readonly spec: ClusterSpec;
  readonly warnings: readonly ConfigWarning[];
}

/** Throws Invalid with every problem, a line each. */
export async function readClusterFile(text: string, options: ReadOptions): Promise<ReadCluster> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw invalid('cluster file', `it is not YAML: ${messageOf(error)}`);
  }
  return readCluster(value, options);
}

/** What is wanted and all that is to be said of it; to be used only where no problem is an error. */
export async function inspectCluster(
  value: unknown,
  options: ReadOptions,
): Promise<{ readonly spec: ClusterSpec; readonly problems: readonly Problem[] }> {
  const { tree: read, problems: found } = walk(value ?? {}, clusterOptions);
  const tree = options.useAgent ? { ...read, ssh_agent_auth: true } : read;
  const problems = [...found];
  const spec = await toSpec(tree, { ...options, problems });
  problems.push(...checkSpec(spec));
  return { spec, problems };
}

/** The same for what is parsed already. */
export async function readCluster(value: unknown, options: ReadOptions): Promise<ReadCluster> {
  const { spec, problems } = await inspectCluster(value, options);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0)
    throw invalid('cluster file', errors.map(({ field, message }) => `${field}: ${message}`).join('\n'));
  const warnings = problems.map(({ field, message }) => ({ field, message }));
  return { spec, warnings };
}

type Reading = ReadOptions & { readonly problems: Problem[] };

async function toSpec(tree: Tree, reading: Reading): Promise<ClusterSpec> {
  const services = sub(tree, 'services');
  const api = sub(services, 'kube-api');
  const controller = sub(services, 'kube-controller');
  const kubelet = sub(services, 'kubelet');
  const bastion = sub(tree, 'bastion_host');
  const strategy = sub(tree, 'upgrade_strategy');
  const { problems } = reading;
  const warning = (field: string, message: string) => problems.push({ field, severity: 'warning', message });
  if ((text(sub(tree, 'ingress'), 'provider') ?? 'nginx') !== 'none')
    warning(
      'ingress.provider',
      'no ingress controller is installed: ingress-nginx has ended; bring one of your own, and say none here',
    );
  sayUnused(tree, warning);
  const cloud = cloudFlags(tree, problems);
  const serviceCidr =
    text(api, 'service_cluster_ip_range') ?? text(controller, 'service_cluster_ip_range') ?? '10.43.0.0/16';
  const version = text(tree, 'kubernetes_version');
  return {
    name: text(tree, 'cluster_name') ?? reading.name ?? 'local',
    kubernetesVersion: version && `v${version.replace(/^v/, '').replace(/-rancher.*$/, '')}`,
    nodes: await readNodes(tree, reading),
    bastion: bastion['address'] ? await readSsh(bastion, { ...reading, tree, field: 'bastion_host' }) : undefined,
    etcd: etcdOf(sub(services, 'etcd')),
    apiserver: apiserverOf(api, { tree, serviceCidr, problems }),
    controllerManager: {
      ...withFlags(extras(controller), cloud),
      clusterCidr: text(controller, 'cluster_cidr') ?? '10.42.0.0/16',
    },
    scheduler: extras(sub(services, 'scheduler')),
    kubelet: {
      ...withFlags(extras(kubelet), cloud),
      clusterDomain: text(kubelet, 'cluster_domain') ?? 'cluster.local',
      clusterDnsServer: text(kubelet, 'cluster_dns_server') ?? tenth(serviceCidr),
      failSwapOn: kubelet['fail_swap_on'] === true,
      generateServingCertificate: true,
    },
    kubeProxy: extras(sub(services, 'kubeproxy')),
    network: networkOf(sub(tree, 'network'), problems),
    dns: dnsOf(sub(tree, 'dns'), problems),
    metrics: metricsOf(sub(tree, 'monitoring'), problems),
    addons: await addonsOf(tree, reading),
    upgrade: {
      maxUnavailableWorker: text(strategy, 'max_unavailable_worker') ?? '10%',
      maxUnavailableControlplane: text(strategy, 'max_unavailable_controlplane') ?? '1',
      drain: strategy['drain'] === true ? drainOf(sub(strategy, 'node_drain_input')) : undefined,
    },
  };
}

/** What the table takes and nothing here reads. */
function sayUnused(tree: Tree, warning: (field: string, message: string) => void): void {
  const services = sub(tree, 'services');
  for (const option of ['creation', 'retention'])
    if (text(sub(services, 'etcd'), option))
      warning(`services.etcd.${option}`, 'does nothing: backup_config says when snapshots are taken and kept');
  if (sub(services, 'kubelet')['generate_serving_certificate'] === false)
    warning('services.kubelet.generate_serving_certificate', 'does nothing: kubelets always have one of the cluster');
  const [asked, told] = ['kube-api', 'kube-controller'].map(name =>
    text(sub(services, name), 'service_cluster_ip_range'),
  );
  if (asked && told && asked !== told)
    warning('services.kube-controller.service_cluster_ip_range', `does nothing: kube-api says ${asked}`);
  const bastion = sub(tree, 'bastion_host');
  if (!bastion['address'] && (text(bastion, 'user') || text(bastion, 'port')))
    warning('bastion_host', 'does nothing: it has no address');
}

function extras(tree: Tree): ServiceExtras {
  return {
    extraArgs: (tree['extra_args'] as Record<string, string> | undefined) ?? {},
    extraArgsArray: (tree['extra_args_array'] as Record<string, string[]> | undefined) ?? {},
    extraEnv: texts(tree, 'extra_env'),
  };
}

function withFlags(given: ServiceExtras, computed: Readonly<Record<string, string>>): ServiceExtras {
  return { ...given, extraArgs: { ...computed, ...given.extraArgs } };
}

/** Clouds are met by controllers of their own, which the components have to be told to wait for. */
function cloudFlags(tree: Tree, problems: Problem[]): Record<string, string> {
  const { name, ...rest } = sub(tree, 'cloud_provider') as { name?: unknown };
  if (name === undefined || name === '') return {};
  if (typeof name !== 'string' || !/^(external|external-aws|custom|harvester)$/.test(name)) {
    const message = `${String(name)} is no part of Kubernetes any more: say external, and install the cloud's own controller`;
    problems.push({ field: 'cloud_provider.name', severity: 'error', message });
    return {};
  }
  if (Object.keys(rest).length > 0)
    problems.push({
      field: 'cloud_provider',
      severity: 'warning',
      message: 'its settings do nothing here: give them to the cloud controller that you install',
    });
  return { 'cloud-provider': 'external' };
}

function etcdOf(tree: Tree): ClusterSpec['etcd'] {
  const backup = sub(tree, 'backup_config');
  const s3 = sub(backup, 's3backupconfig');
  const urls = texts(tree, 'external_urls').filter(url => url !== '');
  const secret = text(s3, 'secret_key');
  return {
    ...extras(tree),
    external:
      urls.length > 0
        ? {
            urls,
            caCert: text(tree, 'ca_cert') ?? '',
            cert: text(tree, 'cert') ?? '',
            key: new Secret(text(tree, 'key') ?? ''),
          }
        : undefined,
    snapshots: {
      enabled: backup['enabled'] !== false && tree['snapshot'] !== false,
      intervalHours: number(backup, 'interval_hours', 12),
      retention: number(backup, 'retention', 6),
      timeoutSeconds: number(backup, 'timeout', 300),
      safeTimestamp: backup['safe_timestamp'] === true,
      s3:
        Object.keys(s3).length > 0
          ? {
              endpoint: text(s3, 'endpoint') ?? 's3.amazonaws.com',
              bucket: text(s3, 'bucket_name') ?? '',
              region: text(s3, 'region') ?? '',
              folder: text(s3, 'folder') ?? '',
              accessKey: text(s3, 'access_key'),
              secretKey: secret ? new Secret(secret) : undefined,
              customCa: text(s3, 'custom_ca'),
            }
          : undefined,
    },
  };
}

function apiserverOf(
  api: Tree,
  { tree, serviceCidr, problems }: { tree: Tree; serviceCidr: string; problems: Problem[] },
): ClusterSpec['apiserver'] {
  const audit = sub(api, 'audit_log');
  const settings = sub(audit, 'configuration');
  const encryption = sub(api, 'secrets_encryption_config');
  checkEncryption(encryption, problems);
  const limit = sub(api, 'event_rate_limit');
  const authentication = sub(tree, 'authentication');
  const webhook = sub(authentication, 'webhook');
  const strategies = (text(authentication, 'strategy') ?? 'x509').split('|');
  const unknown = strategies.filter(one => one !== 'x509' && one !== 'webhook');
  const error = (field: string, message: string) => problems.push({ field, severity: 'error', message });
  if (unknown.length > 0 || !strategies.includes('x509'))
    error('authentication.strategy', 'must be x509 or x509|webhook');
  const security = text(api, 'pod_security_configuration') ?? 'privileged';
  if (security !== 'privileged' && security !== 'restricted')
    error('services.kube-api.pod_security_configuration', 'must be privileged or restricted');
  const mode = text(sub(tree, 'authorization'), 'mode') ?? 'rbac';
  if (mode !== 'rbac' && mode !== 'none') error('authorization.mode', 'must be rbac or none');
  return {
    ...extras(api),
    serviceCidr,
    nodePortRange: text(api, 'service_node_port_range') ?? '30000-32767',
    podSecurity: security === 'restricted' ? 'restricted' : 'privileged',
    alwaysPullImages: api['always_pull_images'] === true,
    secretsEncryption: {
      enabled: encryption['enabled'] === true,
      customConfig: encryption['custom_config'],
    },
    audit: {
      enabled: audit['enabled'] !== false,
      maxAgeDays: number(settings, 'max_age', 30),
      maxBackups: number(settings, 'max_backup', 10),
      maxSizeMb: number(settings, 'max_size', 100),
      path: text(settings, 'path') ?? '/var/log/kube-audit/audit-log.json',
      policy: settings['policy'] ?? defaultAuditPolicy,
    },
    admissionConfiguration: api['admission_configuration'],
    eventRateLimit: limit['enabled'] === true ? (limit['configuration'] ?? defaultEventLimit) : undefined,
    sans: texts(authentication, 'sans'),
    webhook: strategies.includes('webhook')
      ? { configFile: text(webhook, 'config_file'), cacheTimeout: text(webhook, 'cache_timeout') ?? '5s' }
      : undefined,
    authorizationMode: mode === 'none' ? 'none' : 'rbac',
  };
}

function checkEncryption({ enabled, custom_config: custom }: Tree, problems: Problem[]): void {
  if (custom === undefined) return;
  const field = 'services.kube-api.secrets_encryption_config.custom_config';
  if (enabled !== true)
    problems.push({ field, severity: 'warning', message: 'does nothing: enabled is not true beside it' });
  const { kind, resources } = (custom ?? {}) as { kind?: unknown; resources?: unknown };
  const isGroup = (group: unknown) => {
    const { resources: names, providers } = (group ?? {}) as { resources?: unknown; providers?: unknown };
    const isName = (name: unknown) => typeof name === 'string' && name !== '';
    return (
      [names, providers].every(list => Array.isArray(list) && list.length > 0) && (names as unknown[]).every(isName)
    );
  };
  if (
    (kind ?? 'EncryptionConfiguration') !== 'EncryptionConfiguration' ||
    !Array.isArray(resources) ||
    !resources.every(isGroup)
  )
    problems.push({
      field,
      severity: 'error',
      message: 'must be an EncryptionConfiguration: kind, and resources, each with resources and providers',
    });
}

const defaultAuditPolicy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'Metadata' }] };
const defaultEventLimit = {
  apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1',
  kind: 'Configuration',
  limits: [{ type: 'Server', qps: 5000, burst: 20_000 }],
};

function networkOf(tree: Tree, problems: Problem[]): ClusterSpec['network'] {
  const plugin = text(tree, 'plugin') ?? 'canal';
  const options = (tree['options'] as Record<string, string> | undefined) ?? {};
  const option = (name: string) => options[`canal_${name}`] || options[`flannel_${name}`] || undefined;
  const say = (severity: Problem['severity'], message: string) =>
    problems.push({ field: 'network.plugin', severity, message });
  if (plugin === 'calico')
    say(
      'warning',
      'calico is not installed: the network is VXLAN between nodes, with the policies of Kubernetes alone',
    );
  else if (!['none', 'flannel', 'canal'].includes(plugin))
    say('error', `${plugin} can't be had; canal, flannel (both VXLAN here) and none can`);
  const backend = option('flannel_backend_type') ?? options['flannel_backend_type'] ?? 'vxlan';
  if (backend !== 'vxlan') say('error', `only the backend vxlan can be had, not ${backend}`);
  return {
    plugin: plugin === 'none' ? 'none' : 'vxlan',
    interface:
      option('iface') ??
      text(sub(tree, 'canal_network_provider'), 'iface') ??
      text(sub(tree, 'flannel_network_provider'), 'iface') ??
      '',
    vxlanPort: Number(options['canal_flannel_backend_port'] || options['flannel_backend_port'] || 8472),
    vxlanVni: Number(options['canal_flannel_backend_vni'] || options['flannel_backend_vni'] || 1),
    mtu: number(tree, 'mtu', 0),
    policy: plugin === 'canal' || plugin === 'calico',
  };
}

function dnsOf(tree: Tree, problems: Problem[]): ClusterSpec['dns'] {
  const provider = text(tree, 'provider') ?? 'coredns';
  if (provider !== 'coredns' && provider !== 'none')
    problems.push({
      field: 'dns.provider',
      severity: 'warning',
      message: `${provider} has ended: CoreDNS is installed`,
    });
  return {
    provider: provider === 'none' ? 'none' : 'coredns',
    upstreamNameservers: texts(tree, 'upstreamnameservers'),
    stubDomains: (tree['stubdomains'] as Record<string, string[]> | undefined) ?? {},
    reverseCidrs: texts(tree, 'reversecidrs'),
  };
}

function metricsOf(tree: Tree, problems: Problem[]): ClusterSpec['metrics'] {
  const provider = text(tree, 'provider') ?? 'metrics-server';
  if (provider !== 'metrics-server' && provider !== 'none')
    problems.push({ field: 'monitoring.provider', severity: 'error', message: 'must be metrics-server or none' });
  return { provider: provider === 'none' ? 'none' : 'metrics-server', replicas: number(tree, 'replicas', 1) };
}

function drainOf(tree: Tree): DrainInput {
  return {
    force: tree['force'] === true,
    ignoreDaemonSets: tree['ignore_daemonsets'] !== false,
    deleteLocalData: tree['delete_local_data'] === true,
    gracePeriodSeconds: number(tree, 'grace_period', -1),
    timeoutSeconds: number(tree, 'timeout', 120),
  };
}

async function addonsOf(tree: Tree, { dir, problems }: Reading): Promise<string[]> {
  const { readFile } = await import('node:fs/promises');
  const { resolve } = await import('node:path');
  const found = text(tree, 'addons') ? [text(tree, 'addons')!] : [];
  for (const [index, path] of texts(tree, 'addons_include').entries()) {
    const field = `addons_include[${index}]`;
    if (/^https?:/.test(path)) {
      problems.push({ field, severity: 'error', message: 'is a URL: fetch it, look at it and name the file' });
      continue;
    }
    try {
      found.push(await readFile(resolve(dir, path), 'utf8'));
    } catch (error) {
      problems.push({ field, severity: 'error', message: `can't be read: ${messageOf(error)}` });
    }
  }
  return found;
}

function tenth(cidr: string): string {
  const parts = (cidr.split('/')[0] ?? '').split('.');
  return [...parts.slice(0, 3), Number(parts[3] ?? 0) + 10].join('.');
}
