/**
 * A cluster that a server makes, from one minor of Kubernetes to the next and, by a snapshot, back to the older one; then new certificates, a
 * new key of Secrets and new authorities. All of it asked for in v3.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@drover/base';
import { defaultBundleDir, kubernetesVersions } from '@drover/engine';
import { type CustomWorld, startCustomWorld } from '../e2e/custom-world.ts';
import { kubectl, runKubectl } from '../e2e/kubectl.ts';
import { clustersSkipReason } from '../hosts/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
type Wire = any;

const minors = ['1.36', '1.37'];
const [from, to] = minors.map(minor => kubernetesVersions[minor]!) as [string, string];
const slow = { timeoutMs: 420_000, everyMs: 500 };

const skip = (await clustersSkipReason(minors)) ?? false;

test('a cluster of a server goes to the next minor, and by a snapshot back', { skip }, async t => {
  await using custom = await startCustomWorld(1, {
    config: () => ({
      kubernetesVersion: from,
      services: { kubeApi: { secretsEncryptionConfig: { enabled: true } } },
    }),
    bundles: minors.map(minor => defaultBundleDir(minor)),
    signal: t.signal,
  });
  const [host] = custom.world.hosts;
  const path = `/v3/clusters/${custom.clusterId}`;
  await custom.join(host!, ['--etcd', '--controlplane', '--worker']);
  await custom.reach('the cluster', ({ state, nodeCount }) => state === 'active' && nodeCount === 1);
  const kubeconfig = await custom.kubeconfig(await custom.server().login(), 'admin');
  const version = async () =>
    (await runKubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'], { kubeconfig }))
      .stdout;
  await until('the older one', async () => (await version()) === from, slow);

  await kubectl(['create', 'configmap', 'kept', '--from-literal=a=b'], { kubeconfig });
  await custom.ask('POST', `${path}?action=backupEtcd`, {}, 200);
  const backup = await until(
    'the snapshot',
    async () => {
      const { data } = await custom.ask('GET', `${path}/etcdbackups`);
      return data.find((one: Wire) => one.manual && one.state === 'active');
    },
    slow,
  );
  await kubectl(['delete', 'configmap', 'kept'], { kubeconfig });

  await choose(custom, to);
  await custom.reach(
    'the upgrade',
    ({ state, version: seen }) => state === 'active' && seen.gitVersion === to,
    600_000,
  );
  assert.equal(await version(), to);

  await choose(custom, from);
  const refused = await custom.reach('it to refuse the way back', ({ transitioning }) => transitioning === 'error');
  assert.match(
    refused.transitioningMessage,
    new RegExp(`${from} is older than ${to}, which runs`.replaceAll('.', '\\.')),
  );
  await choose(custom, to);
  await custom.reach(
    'nothing to be said any more',
    ({ state, transitioning }) => state === 'active' && transitioning === 'no',
  );

  const restore = { etcdBackupId: backup.id, restoreRkeConfig: 'kubernetesVersion' };
  await custom.ask('POST', `${path}?action=restoreFromEtcdBackup`, restore, 200);
  const restored = await custom.reach(
    'the restore',
    ({ state, version: seen, rancherKubernetesEngineConfig: config }) =>
      Boolean(state === 'active' && !config.restore && seen.gitVersion === from),
  );
  assert.equal(restored.rancherKubernetesEngineConfig.kubernetesVersion, from);
  await until(
    'what was there',
    async () => (await runKubectl(['get', 'configmap', 'kept'], { kubeconfig })).code === 0,
    slow,
  );
  await until('the older one again', async () => (await version()) === from, slow);

  const hash = async (name: string) => host!.exec(['sha256sum', `/etc/kubernetes/ssl/${name}`]);
  const ask = async (action: string, input: object = {}) => {
    await custom.ask('POST', `${path}?action=${action}`, input, 200);
    await custom.reach(action, ({ state, rancherKubernetesEngineConfig: config }) =>
      Boolean(state === 'active' && !config[action]),
    );
    await until('it to be reached still', async () => (await version()) === from, slow);
  };
  const names = ['kube-ca.pem', 'kube-apiserver.pem', 'encryption.yaml'];
  const [ca, apiserver, key] = await Promise.all(names.map(hash));
  await ask('rotateCertificates');
  assert.deepEqual([await hash('kube-ca.pem'), await hash('encryption.yaml')], [ca, key]);
  assert.notEqual(await hash('kube-apiserver.pem'), apiserver);
  await ask('rotateEncryptionKey');
  assert.notEqual(await hash('encryption.yaml'), key);
  await kubectl(['get', 'secrets', '-A'], { kubeconfig });
  await ask('rotateCertificates', { caCertificates: true });
  assert.notEqual(await hash('kube-ca.pem'), ca);
});

async function choose(custom: CustomWorld, kubernetesVersion: string): Promise<void> {
  const { rancherKubernetesEngineConfig: config } = await custom.cluster();
  await custom.ask('PUT', `/v3/clusters/${custom.clusterId}`, {
    rancherKubernetesEngineConfig: { ...config, kubernetesVersion },
  });
}
