/** A cluster on hosts that goes: all of its hosts are cleaned, side by side, and only then is it forgotten. */
import type { Cluster } from '@drover/api';
import { ignoreNotFound } from '@drover/base';
import { forceAnnotation, patienceMs } from '../controllers/cluster-cleanup.ts';
import type { Resources } from '../resources/index.ts';
import { type ClusterStatus, engineFinalizer } from './cluster-status.ts';
import { joinSecrets } from './config-secrets.ts';
import { readEngineConfig, standIn } from './engine-config.ts';
import { EngineMemory } from './engine-memory.ts';
import { EngineRun } from './engine-run.ts';
import type { HostTunnels } from './host-tunnels.ts';
import { leaveHost } from './leave-hosts.ts';
import { isRegistered } from './plan-hosts.ts';
import { Timeline } from './timeline.ts';

interface RemoveDeps {
  readonly resources: Resources;
  readonly tunnels: HostTunnels;
  readonly status: ClusterStatus;
  readonly signal: AbortSignal;
}

/** Undefined once it is forgotten, else the ms until the next try. */
export async function removeFromHosts(cluster: Cluster, deps: RemoveDeps): Promise<number | undefined> {
  const { resources, tunnels, status, signal } = deps;
  if (!cluster.metadata.finalizers?.includes(engineFinalizer)) return undefined;
  const clusterId = cluster.metadata.name;
  const nodes = (await resources.list('node', { namespace: clusterId })).items;
  const timeline = await Timeline.open(resources, clusterId);
  timeline.begin('remove');
  const force = cluster.metadata.annotations?.[forceAnnotation] === 'true';
  const since = cluster.metadata.deletionTimestamp;
  const common = { resources, tunnels, timeline, clusterId, signal };
  const registered = nodes.filter(isRegistered);
  const tried = await Promise.all(registered.map(node => leaveHost(node, common, { since, force })));
  const left = tried.filter(cause => cause !== undefined);
  left.push(...(await cleanSshHosts(cluster, timeline, deps)));
  await timeline.end();
  const isGivenUp = force || Date.now() - Date.parse(since ?? '') > patienceMs;
  if (left.length > 0 && !isGivenUp) {
    const message = `waiting to clean the hosts: ${left.join('; ')}`.slice(0, 2000);
    await status.set([{ type: 'Removed', status: 'Unknown', reason: 'Cleanup', message }]);
    return 10_000;
  }
  await ignoreNotFound(
    resources.modify('cluster', { name: clusterId }, seen => {
      const finalizers = (seen.metadata.finalizers ?? []).filter(one => one !== engineFinalizer);
      return { ...seen, metadata: { ...seen.metadata, finalizers } };
    }),
  );
  return undefined;
}

/** Why which of the hosts that are reached by SSH could not be cleaned. */
async function cleanSshHosts(
  cluster: Cluster,
  timeline: Timeline,
  { resources, tunnels, signal }: RemoveDeps,
): Promise<string[]> {
  const { spec: wanted, metadata } = cluster;
  const config = joinSecrets({
    config: wanted?.rancherKubernetesEngineConfig ?? {},
    secrets: wanted?.engineSecrets ?? {},
  });
  if (!Array.isArray(config['nodes']) || config['nodes'].length === 0) return [];
  const name = wanted?.displayName || metadata.name;
  const { spec } = await readEngineConfig(config, { name, hosts: standIn(config) });
  const memory = await EngineMemory.open(resources, metadata.name);
  const hosts = spec.nodes.filter(node => node.ssh.privateKey);
  const known = new Set(memory.state(spec)?.nodes.map(one => one.name));
  const begun = hosts.filter(host => known.has(host.name));
  const run = new EngineRun({
    ...{ cluster, spec, bundle: undefined as never, memory, timeline, tunnels },
    isRegistered: () => false,
    doing: () => undefined,
    signal,
  });
  const failed = await run.clean(begun);
  return [...failed].map(([host, cause]) => `${host}: ${cause}`);
}
