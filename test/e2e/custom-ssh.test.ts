/**
 * A cluster on a host that the server itself reaches over SSH: made, reached by the agent that runs on its node while the cluster's own
 * is away, and taken off again. Its key is in no answer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@drover/base';
import { clustersSkipReason } from '../hosts/index.ts';
import { isClean, startCustomWorld } from './custom-world.ts';
import { kubectl, runKubectl } from './kubectl.ts';

const skip = (await clustersSkipReason()) ?? false;
const slow = { timeoutMs: 420_000, everyMs: 500 };

// biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
type Wire = any;

test('a host that is given with its key becomes a cluster, and is clean again afterwards', { skip }, async t => {
  await using custom = await startCustomWorld(1, {
    signal: t.signal,
    config: ({ hosts: [host], privateKey }) => ({
      nodes: [
        {
          address: host!.address,
          hostnameOverride: host!.name,
          user: 'root',
          role: ['etcd', 'controlplane', 'worker'],
          sshKey: privateKey,
        },
      ],
    }),
  });
  const [host] = custom.world.hosts;
  const active = await custom.reach(
    'the cluster to be active',
    ({ state, nodeCount }) => state === 'active' && nodeCount === 1,
  );
  assert.ok(!JSON.stringify(active).includes('PRIVATE KEY'));
  const { data } = await custom.timeline();
  const trusted = data.find((step: Wire) => step.state === 'warning' && step.title.includes(host!.fingerprint));
  assert.ok(trusted, 'the host key that was trusted is told');
  const admin = await custom.server().login();
  const kubeconfig = await custom.kubeconfig(admin, 'admin');
  const rolledOut = ['-n', 'cattle-system', 'rollout', 'status', 'daemonset/cattle-node-agent'];
  await until('the node’s agent', async () => (await runKubectl(rolledOut, { kubeconfig })).code === 0, slow);
  await kubectl(['-n', 'cattle-system', 'scale', 'deployment/cattle-cluster-agent', '--replicas=0'], { kubeconfig });
  await custom.reach('it to be reached through its node', ({ conditions }) =>
    conditions.some((one: Wire) => one.type === 'Connected' && one.reason === 'NodeAgent'),
  );
  assert.match(await kubectl(['get', 'nodes'], { kubeconfig }), /host-1 +Ready/);
  await custom.ask('DELETE', `/v3/clusters/${custom.clusterId}`);
  const path = `/v3/clusters/${custom.clusterId}`;
  await until(
    'the cluster to be gone',
    async () => (await custom.server().fetch('GET', path, { token: admin })).status === 404,
    slow,
  );
  await until('the host to be clean', async () => (await isClean(host!)) === '', slow);
});
