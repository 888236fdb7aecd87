/**
 * Reads a `rancherKubernetesEngineConfig` with the engine's own reader, and refuses what only a command line may have: whatever would
 * be read from this server's disk, or reached by its own keys.
 */
import { type ClusterSpec, type ConfigWarning, inspectCluster } from '@drover/engine';

type Json = Readonly<Record<string, unknown>>;

export interface ConfigProblem {
  /** As v3 names it, below `rancherKubernetesEngineConfig`. */
  readonly field: string;
  readonly message: string;
}

export interface ReadConfig {
  readonly spec: ClusterSpec;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigWarning[];
}

/** Set by actions, and taken out again by the controller once they are done. */
export const requests = ['restore', 'rotateCertificates', 'rotateEncryptionKey'] as const;

const spelling = (key: string): string => key.toLowerCase().replaceAll(/[-_]/g, '');

const forbidden: Readonly<Record<string, string>> = {
  sshkeypath: 'can’t be had: a server reads no keys from its disk for others; give sshKey itself',
  sshcertpath: 'can’t be had: give sshCert itself',
  sshagentauth: 'can’t be had: a server lends nobody its SSH agent; give sshKey',
  addonsinclude: 'can’t be had: put the manifests into addons',
};

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `config` with its secrets. Nothing in it may be used where there are problems. */
export async function readEngineConfig(
  config: Json,
  { name, hosts = [] }: { readonly name: string; readonly hosts?: readonly Json[] },
): Promise<ReadConfig> {
  const own = withoutTypes(config);
  const bastion = isObject(own['bastionHost']) && own['bastionHost']['address'] ? [own['bastionHost']] : [];
  const problems = [
    ...forbiddenIn(own, ''),
    ...dialProblems(own['nodes'], 'nodes'),
    ...dialProblems(bastion, 'bastionHost'),
  ];
  if (problems.length > 0) return { spec: undefined as never, problems, warnings: [] };
  for (const request of requests) delete own[request];
  const given = (own['nodes'] as readonly Json[] | undefined) ?? [];
  const whole = { ...own, clusterName: name, nodes: [...given, ...hosts] };
  const { spec, problems: found } = await inspectCluster(whole, { dir: '/', name });
  const told = found.map(one => ({ ...one, field: toV3Path(one.field) }));
  return {
    spec,
    problems: told.filter(({ severity }) => severity === 'error'),
    // What the roles of hosts are like is told where hosts come and go.
    warnings: told.filter(({ severity, field }) => severity === 'warning' && field !== 'nodes'),
  };
}

/** A host that stands for those that will register: it has every role that the given ones lack. */
export function standIn(config: Json): Json[] {
  const nodes = Array.isArray(config['nodes']) ? (config['nodes'] as unknown[]) : [];
  const there = new Set(nodes.flatMap(node => (isObject(node) ? [node['role']].flat() : [])));
  const role = ['etcd', 'controlplane', 'worker'].filter(one => !there.has(one));
  return role.length === 0 ? [] : [{ address: 'registered.invalid', user: 'root', role, sshAgentAuth: true }];
}

/** Clients of this API put the name of the type into each of its objects. */
function withoutTypes(config: Json): Record<string, unknown> {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (!isObject(value)) return value;
    const named = typeof value['type'] === 'string' && /^\/?[a-z][A-Za-z0-9/]*$/.test(value['type']);
    const entries = Object.entries(value).filter(([key]) => !(named && (key === 'type' || key === 'baseType')));
    return Object.fromEntries(entries.map(([key, inner]) => [key, strip(inner)]));
  };
  return strip(config) as Record<string, unknown>;
}

function forbiddenIn(value: unknown, path: string): ConfigProblem[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => forbiddenIn(item, `${path}[${index}]`));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const field = path === '' ? key : `${path}.${key}`;
    const why = forbidden[spelling(key)];
    const isSet = inner !== null && inner !== false && inner !== '' && !(Array.isArray(inner) && inner.length === 0);
    return why !== undefined && isSet ? [{ field, message: why }] : forbiddenIn(inner, field);
  });
}

/** Hosts that the server itself dials: by a key of their own, and none that is the server itself. */
function dialProblems(nodes: unknown, place: string): ConfigProblem[] {
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node, index) => {
    if (!isObject(node)) return [];
    const field = place === 'nodes' ? `nodes[${index}]` : place;
    const option = (name: string) => Object.entries(node).find(([key]) => spelling(key) === name)?.[1];
    const address = String(option('address') ?? '');
    const problems: ConfigProblem[] = [];
    if (!option('sshkey'))
      problems.push({ field: `${field}.sshKey`, message: 'is missing: the private key that lets the server in' });
    if (/^(localhost|0\.|127\.|169\.254\.|\[?::1\]?$|\[?fe80:)/i.test(address))
      problems.push({ field: `${field}.address`, message: `${address} is this server itself, or leads nowhere` });
    return problems;
  });
}

/** `services.kube-api.service_cluster_ip_range` → `services.kubeApi.serviceClusterIpRange`. */
function toV3Path(field: string): string {
  return field
    .replaceAll('s3backupconfig', 's3BackupConfig')
    .replaceAll(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
