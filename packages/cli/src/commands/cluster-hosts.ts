/** clusters create, node-command, timeline: clusters that the server makes of hosts, from a name to the last step on the last host. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ClusterTimeline, TimelineStep } from '@drover/api';
import { invalid, messageOf, notFound, sleep, unavailable } from '@drover/base';
import type { V3Resource } from '../client.ts';
import { type Context, findCluster, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { printData } from '../output.ts';

export interface CreateFlags extends GlobalFlags {
  readonly config?: string;
  readonly wait?: boolean;
  readonly timeout?: string;
}

export interface NodeCommandFlags extends GlobalFlags {
  readonly etcd?: boolean;
  readonly controlplane?: boolean;
  readonly worker?: boolean;
  readonly nodeName?: string;
  readonly address?: string;
  readonly internalAddress?: string;
  readonly label?: readonly string[];
  readonly taints?: readonly string[];
}

const step = (text: string) => process.stderr.write(`${text}\n`);

export async function createCluster(name: string, flags: CreateFlags): Promise<void> {
  const seconds = Number(flags.timeout ?? '1800');
  if (!Number.isInteger(seconds) || seconds < 1) throw invalid('--timeout', 'must be a number of seconds above 0');
  const config = flags.config === undefined ? {} : await readConfig(resolve(flags.config));
  await using context = await openContext(flags);
  const made = await context.client.create('clusters', { name, rancherKubernetesEngineConfig: config });
  step(say('clusterMade', { name, id: made.id }));
  const command = await nodeCommand(context, made.id);
  step(say('clusterNodeCommand'));
  if (context.format === 'table') process.stdout.write(`${command}\n`);
  else await printData({ cluster: made, nodeCommand: command }, context.format);
  if (!flags.wait) return;
  step(say('clusterWaiting', { name }));
  const over = performance.now() + seconds * 1000;
  await follow(context, made, async () => {
    const { state, transitioningMessage } = await context.client.get<V3Resource>(`/v3/clusters/${made.id}`);
    if (performance.now() > over) throw unavailable(`${state}: ${String(transitioningMessage)}`);
    return state === 'active';
  });
}

/** As the v3 API has it; keys that are files on this machine are read here, since the server reads none. */
async function readConfig(path: string): Promise<Record<string, unknown>> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw invalid('--config', `${path} can't be read: ${messageOf(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('--config', `${path} must be a map of options`);
  const { sshKeyPath, sshCertPath, ...config } = toCamel(value) as Record<string, unknown>;
  const dir = dirname(path);
  const read = async (given: unknown) => {
    const file = resolve(dir, String(given).replace(/^~(?=\/)/, process.env['HOME'] ?? '~'));
    return await readFile(file, 'utf8').catch(error => {
      throw invalid('--config', `${file} can't be read: ${messageOf(error)}`);
    });
  };
  const nodes = Array.isArray(config['nodes']) ? (config['nodes'] as Record<string, unknown>[]) : [];
  for (const node of nodes) {
    const { sshKeyPath: key = sshKeyPath, sshCertPath: cert = sshCertPath } = node;
    delete node['sshKeyPath'];
    delete node['sshCertPath'];
    if (!node['sshKey'] && key) node['sshKey'] = await read(key);
    if (!node['sshCert'] && cert) node['sshCert'] = await read(cert);
  }
  const bastion = config['bastionHost'] as Record<string, unknown> | undefined;
  if (bastion?.['sshKeyPath']) {
    bastion['sshKey'] = await read(bastion['sshKeyPath']);
    delete bastion['sshKeyPath'];
  }
  return config;
}

/** Options whose keys are the user's own words. */
const free: ReadonlySet<string> = new Set([
  ...['extraArgs', 'extraArgsArray', 'labels', 'options', 'stubdomains', 'customConfig', 'policy', 'configuration'],
  ...['admissionConfiguration', 'nodeSelector', 'winExtraArgs', 'winExtraArgsArray'],
]);

function toCamel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toCamel);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name =
        key === 's3backupconfig'
          ? 's3BackupConfig'
          : key.replaceAll(/[-_]([a-z])/g, (_, letter) => letter.toUpperCase());
      return [name, free.has(name) ? inner : toCamel(inner)];
    }),
  );
}

/** The server makes the token a moment after the cluster. */
async function nodeCommand({ client }: Context, clusterId: string): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const found = (await client.list('clusterRegistrationTokens', { clusterId })).find(token => token['token']);
    if (found?.['nodeCommand']) return String(found['nodeCommand']);
    if (found) throw unavailable(say('clusterNoCommand'));
    await sleep(100);
  }
  throw notFound('clusterRegistrationToken', clusterId);
}

export async function printNodeCommand(wanted: string, flags: NodeCommandFlags): Promise<void> {
  await using context = await openContext(flags);
  const cluster = await findCluster(context, wanted);
  if (!cluster['rancherKubernetesEngineConfig'])
    throw invalid('cluster', `"${cluster.name}" was imported: hosts join it by its own means`);
  const quoted = (text: string) =>
    /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
  const parts = [
    await nodeCommand(context, cluster.id),
    ...(['etcd', 'controlplane', 'worker'] as const).flatMap(role => (flags[role] ? [`--${role}`] : [])),
    ...(flags.nodeName ? ['--node-name', quoted(flags.nodeName)] : []),
    ...(flags.address ? ['--address', quoted(flags.address)] : []),
    ...(flags.internalAddress ? ['--internal-address', quoted(flags.internalAddress)] : []),
    ...(flags.label ?? []).flatMap(label => ['--label', quoted(label)]),
    ...(flags.taints ?? []).flatMap(taint => ['--taints', quoted(taint)]),
  ];
  if (context.format === 'table') process.stdout.write(`${parts.join(' ')}\n`);
  else await printData({ nodeCommand: parts.join(' ') }, context.format);
}

export async function showTimeline(wanted: string, flags: GlobalFlags & { readonly follow?: boolean }): Promise<void> {
  await using context = await openContext(flags);
  const cluster = await findCluster(context, wanted);
  if (!cluster.links?.['timeline'])
    throw invalid('cluster', `"${cluster.name}" was imported: nothing is done to its hosts`);
  if (flags.follow) return await follow(context, cluster, async () => false);
  const timeline = await context.client.get<ClusterTimeline>(`/v3/clusters/${cluster.id}/timeline`);
  if (context.format !== 'table') return await printData(timeline, context.format);
  for (const one of timeline.data) process.stdout.write(lineOf(one));
}

/** Tells each step once when it begins to wait and once when it is over. */
async function follow({ client, format }: Context, { id }: V3Resource, isOver: () => Promise<boolean>): Promise<void> {
  const told = new Set<string>();
  let revision = 0;
  for (;;) {
    const timeline = await client.get<ClusterTimeline>(`/v3/clusters/${id}/timeline?after=${revision}&waitSeconds=5`);
    if (timeline.revision !== revision) {
      for (const one of timeline.data) {
        const key = [one.run, one.stage, one.host, one.title, one.started, one.state].join('\0');
        if (one.state === 'started' || told.has(key)) continue;
        told.add(key);
        process.stdout.write(format === 'table' ? lineOf(one) : `${JSON.stringify(one)}\n`);
      }
      revision = timeline.revision;
    }
    if (await isOver()) return;
  }
}

const marks: Readonly<Record<string, string>> = {
  done: '✔',
  failed: '✖',
  interrupted: '…',
  started: '▸',
  warning: '!',
};

function lineOf({ state, tookMs, host = '', title, started, error, log = [] }: TimelineStep): string {
  const took = (tookMs === undefined ? '' : `${(tookMs / 1000).toFixed(1)} s`).padStart(8);
  const rest = [...(error ? [error] : []), ...log].map(text => `    ${text}\n`).join('');
  return `${started.slice(0, 19)}Z ${marks[state] ?? '?'}${took}  ${host.padEnd(20)}${title}\n${rest}`;
}
