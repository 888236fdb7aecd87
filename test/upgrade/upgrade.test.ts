/**
 * From one minor of Kubernetes to the next on three hosts that are all of it, under load that never stops: stopped half-way by a pod that
 * may not go, gone on with, and never a question without its answer.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '@drover/base';
import { defaultBundleDir, findNodeBinaries, kubernetesVersions } from '@drover/engine';
import { loadKubeconfig, toConnection } from '@drover/kube';
import { parse } from 'yaml';
import { busyboxImage } from '../e2e/node/image.ts';
import { importBusybox, makeRkeFolder, nodeOf, type RkeFolder, readText } from '../e2e/rke.ts';
import { clustersSkipReason, startHosts, type TestHost } from '../hosts/index.ts';
import { buildApiLoad, judge, startApiLoad } from './api-load.ts';
import { watchLeastReady } from './least-ready.ts';

const minors = ['1.36', '1.37'];
const [from, to] = minors.map(minor => kubernetesVersions[minor]!) as [string, string];

const skip = (await clustersSkipReason(minors)) ?? false;

test('an upgrade to the next minor, under load', { skip }, async t => {
  const kubectl = join(defaultBundleDir('1.37'), 'bin/kubectl');
  await using world = await startHosts({ count: 3, signal: t.signal });
  await using folder = await makeRkeFolder(world, kubectl);
  const write = (version: string) =>
    folder.write({
      nodes: world.hosts.map(host => nodeOf(host, ['controlplane', 'etcd', 'worker'])),
      cluster_name: 'up',
      kubernetes_version: version,
      upgrade_strategy: { drain: true, node_drain_input: { delete_local_data: true, force: true, timeout: 90 } },
    });
  await write(from);
  const first = await folder.rke(['up']);
  assert.equal(first.code, 0, `${first.stderr}\n${JSON.stringify(first.events.at(-1))}`);
  await importBusybox(world.hosts);
  for (const object of [...webObjects(3), stubborn(world.hosts[1]!.name)]) await apply(folder, object);
  const rollout = ['rollout', 'status', 'deployment/web', '--timeout=300s'];
  await folder.kubectl(rollout);
  await folder.kubectl(['wait', '--for=condition=Ready', '--timeout=120s', 'pod/stubborn']);

  await using way = await startWay(folder, world.hosts);
  const connection = await toConnection(await loadKubeconfig({ path: way.kubeconfig }));
  await using web = await watchLeastReady(connection, 'app=web');
  await using load = startApiLoad(await buildApiLoad(), way.kubeconfig);
  await until('the load to be there', async () => load.lines.length > 50, { timeoutMs: 60_000 });

  await write(to);
  const stopped = await folder.rke(['up']);
  assert.equal(stopped.code, 1, stopped.stderr);
  const { step, error = '' } = stopped.events.at(-1)!;
  t.diagnostic(`stopped at ${step}: ${error.slice(0, 200)}`);
  assert.equal(step, `nodes/${world.hosts[1]!.name}/drain`);
  assert.match(error, /^default\/stubborn \(.*disruption budget.*\) did not leave host-2 within 90 s$/);
  const kubelets = async () =>
    (await folder.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'])).split(' ');
  assert.deepEqual(await kubelets(), [to, from, from]);

  await folder.kubectl(['delete', 'poddisruptionbudget', 'stubborn']);
  const began = performance.now();
  const resumed = await folder.rke(['up']);
  assert.equal(resumed.code, 0, `${resumed.stderr}\n${JSON.stringify(resumed.events.at(-1))}`);
  assert.ok(!resumed.planned.some(id => id.startsWith('etcd/') || id.startsWith('control planes/')), 'done before');
  t.diagnostic(`two nodes in ${Math.round((performance.now() - began) / 1000)} s`);
  assert.deepEqual(await kubelets(), [to, to, to]);
  assert.deepEqual((await folder.rke(['up'])).planned, []);
  await folder.kubectl(rollout);

  await load.stop();
  const { gets, errors, longestGapMs, acknowledged, lost } = judge(load.lines);
  t.diagnostic(
    `${gets} GETs, ${errors.length} errors, longest gap ${longestGapMs} ms; ${acknowledged} writes acknowledged, ${lost.length} lost; ${web.least} of 3 pods ready at least`,
  );
  assert.deepEqual([errors, lost], [[], []]);
  assert.ok(web.least >= 2, `${web.least} of 3 pods were ready at the worst moment`);

  await write(from);
  const back = await folder.rke(['up']);
  assert.deepEqual([back.code, back.events], [1, []]);
  assert.match(back.stderr, new RegExp(`${from} is older than ${to}, which runs`.replaceAll('.', '\\.')));
});

/**
 * The way of clients that shall not see a control plane go: the balancer that nodes have, on this machine. A kubeconfig can name one server
 * only, so the balancer is that one.
 */
async function startWay(
  folder: RkeFolder,
  hosts: readonly TestHost[],
): Promise<AsyncDisposable & { kubeconfig: string }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  const config = parse(await readText(folder, 'kube_config_cluster.yml'));
  const kubeconfig = join(folder.dir, 'by-balancer.json');
  const [{ name, cluster }] = config.clusters;
  const clusters = [{ name, cluster: { ...cluster, server: `https://127.0.0.1:${port}` } }];
  await writeFile(kubeconfig, JSON.stringify({ ...config, clusters, contexts: [config.contexts[0]] }), { mode: 0o600 });
  const { 'kube-lb': balancer } = await findNodeBinaries(['kube-lb']);
  const args = [
    `--listen=127.0.0.1:${port}`,
    `--backends=${hosts.map(({ address }) => `${address}:6443`).join(',')}`,
    `--kubeconfig=${kubeconfig}`,
  ];
  const child: ChildProcess = spawn(balancer!.path, args, { stdio: 'ignore' });
  return {
    kubeconfig,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function apply(folder: RkeFolder, object: object): Promise<void> {
  const path = join(folder.dir, 'object.json');
  await writeFile(path, JSON.stringify(object));
  await folder.kubectl(['apply', '--filename', path]);
}

const container = (name: string) => ({
  ...{ name, image: busyboxImage, imagePullPolicy: 'Never' },
  command: ['sh', '-c', 'mkdir -p /www; hostname >/www/index.html; exec httpd -f -p 8080 -h /www'],
  readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
});

function webObjects(replicas: number): object[] {
  const labels = { app: 'web' };
  const spread = { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' };
  const spec = {
    terminationGracePeriodSeconds: 1,
    topologySpreadConstraints: [{ ...spread, labelSelector: { matchLabels: labels } }],
    containers: [container('web')],
  };
  return [
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default' } },
      spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
    budget('web', 2),
    budget('stubborn', 1),
  ];
}

function budget(app: string, minAvailable: number): object {
  return {
    ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: app, namespace: 'default' } },
    spec: { minAvailable, selector: { matchLabels: { app } } },
  };
}

/** One that its budget never lets go. */
function stubborn(nodeName: string): object {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: 'stubborn', namespace: 'default', labels: { app: 'stubborn' } },
    spec: { nodeName, terminationGracePeriodSeconds: 0, containers: [container('stubborn')] },
  };
}
