/**
 * Hosts that go: everything of the cluster is taken off, then the agent itself, and only then is the node forgotten. One that can't be
 * reached is waited for, and given up after a while or when somebody says so.
 */
import type { ManagedNode } from '@drover/api';
import { ignoreNotFound, internal, isTrue, messageOf, setCondition } from '@drover/base';
import { type Executor, type NodeSpec, removeCluster } from '@drover/engine';
import { hostFinalizer, nodeNameOf } from '../connect/host-admission.ts';
import { forceAnnotation, patienceMs } from '../controllers/cluster-cleanup.ts';
import type { Resources } from '../resources/index.ts';
import type { HostTunnels } from './host-tunnels.ts';
import type { Timeline } from './timeline.ts';

export interface Leaving {
  readonly resources: Resources;
  readonly tunnels: HostTunnels;
  readonly timeline: Timeline;
  readonly clusterId: string;
  readonly signal: AbortSignal;
  readonly now?: number;
}

/** Undefined once the node is forgotten, else why it is not yet. `since`: when it was asked for. */
export async function leaveHost(
  node: ManagedNode,
  leaving: Leaving,
  { since, force = false }: { readonly since: string | undefined; readonly force?: boolean },
): Promise<string | undefined> {
  const { resources, tunnels, timeline, clusterId, signal, now = Date.now() } = leaving;
  const { name, namespace } = node.metadata;
  const nodeName = nodeNameOf(node);
  const forget = async () => {
    await ignoreNotFound(
      resources.modify('node', { name, namespace }, seen => {
        const finalizers = (seen.metadata.finalizers ?? []).filter(one => one !== hostFinalizer);
        return { ...seen, metadata: { ...seen.metadata, finalizers } };
      }),
    );
    await ignoreNotFound(resources.delete('node', { name, namespace }));
    return undefined;
  };
  // It was clean already when the server that did it went.
  if (isTrue(node.status?.conditions, 'Removed')) return forget();
  try {
    await using executor = tunnels.connect(clusterId, nodeName);
    await cleanHost(executor, nodeName, { timeline, signal });
    await ignoreNotFound(resources.modify('node', { name, namespace }, seen => tell(seen, 'True', '')));
    await timeline.step('leave', 'remove the agent', () => uninstallAgent(executor), nodeName);
    return forget();
  } catch (error) {
    signal.throwIfAborted();
    const isForced = force || node.metadata.annotations?.[forceAnnotation] === 'true';
    if (isForced || now - Date.parse(since ?? '') > patienceMs) {
      timeline.warn(`${nodeName} is forgotten although it could not be cleaned: ${messageOf(error)}`);
      return forget();
    }
    const cause = `waiting to clean the host: ${messageOf(error)}`;
    await ignoreNotFound(resources.modify('node', { name, namespace }, seen => tell(seen, 'Unknown', cause)));
    return `${nodeName}: ${messageOf(error)}`;
  }
}

function tell(node: ManagedNode, status: 'True' | 'Unknown', message: string): ManagedNode | undefined {
  const conditions = setCondition(node.status?.conditions, { type: 'Removed', status, reason: 'Cleanup', message });
  return conditions === node.status?.conditions ? undefined : { ...node, status: { ...node.status, conditions } };
}

async function cleanHost(
  executor: Executor,
  name: string,
  { timeline, signal }: { readonly timeline: Timeline; readonly signal: AbortSignal },
): Promise<void> {
  const ssh = { address: name, port: 22, user: 'root', useAgent: false };
  const node: NodeSpec = { name, address: name, internalAddress: name, roles: [], ssh, labels: {}, taints: [] };
  await removeCluster({
    nodes: [node],
    // Whoever gave it ends it.
    connect: async () => ({ ...executor, [Symbol.asyncDispose]: async () => {} }),
    onEvent: event => timeline.event(event),
    signal,
  });
}

const script = `
unit=drover-node-agent.service
cat >/run/drover-node-agent-removal.sh <<'END'
sleep 1
systemctl disable --now drover-node-agent.service
rm -rf /usr/local/lib/drover-node-agent /var/lib/drover-node-agent /usr/local/lib/systemd/system/drover-node-agent.service
systemctl daemon-reload
rm -f /run/drover-node-agent-removal.sh
END
exec systemd-run --quiet --collect --no-block sh /run/drover-node-agent-removal.sh
`;

/** Begun by the agent, and gone on with by systemd: nobody can remove himself to the end. */
async function uninstallAgent(executor: Executor): Promise<void> {
  const { code, stderr } = await executor.run(['sh', '-c', script]);
  if (code !== 0) throw internal(`the agent could not be removed: ${stderr.trim().slice(-300)}`);
}
