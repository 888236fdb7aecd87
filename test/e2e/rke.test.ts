/**
 * Clusters on hosts, as `drover rke` makes them: from bare hosts to pods that talk, killed at every step and gone on with, a host
 * lost and replaced, and taken away again without a trace.
 */
import assert from 'node:assert/strict';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { messageOf, until } from '@drover/base';
import { buildBundle, defaultBundleDir, findBinaries } from '@drover/engine';
import { hostsSkipReason, startHosts, type TestHost } from '../hosts/index.ts';
import { busyboxImage } from './node/image.ts';
import { importBusybox, makeRkeFolder, nodeOf, type RkeFolder, readText, snapshotOf } from './rke.ts';
import { policiesHold } from './rke-policies.ts';

/** Undefined where a cluster can be made; builds what it takes, once. */
async function skipReason(): Promise<string | undefined> {
  const reason = hostsSkipReason();
  if (reason) return reason;
  try {
    await buildBundle(defaultBundleDir());
  } catch (error) {
    return messageOf(error);
  }
  return undefined;
}

const skip = (await skipReason()) ?? false;
const everything = ['controlplane', 'etcd', 'worker'];
const kubectl = async () => (await findBinaries({ names: ['kubectl'] })).path('kubectl');

test('one host becomes a cluster although each run is killed after its first step', { skip }, async t => {
  await using world = await startHosts({ count: 1, signal: t.signal });
  await using folder = await makeRkeFolder(world, await kubectl());
  const host = world.hosts[0]!;
  await folder.write({ nodes: [nodeOf(host, everything, 'admin')], cluster_name: 'one' });

  const done: string[] = [];
  let runs = 0;
  for (; runs < 60; runs++) {
    const { code, events, stderr, planned } = await folder.rke(['up'], ({ state }, kill) => state === 'done' && kill());
    assert.ok(code === null || code === 0, stderr);
    done.push(...events.filter(({ state }) => state === 'done').map(({ step }) => step));
    if (planned.length === 0) break;
  }
  t.diagnostic(`${runs} runs, ${done.length} steps`);
  assert.ok(runs >= 10, 'every run was to be killed after a step');

  const before = await snapshotOf(host);
  const again = await folder.rke(['up']);
  assert.deepEqual([again.code, again.planned, again.events], [0, [], []]);
  assert.equal(await snapshotOf(host), before);
  for (const name of ['cluster.rkestate', 'kube_config_cluster.yml'])
    assert.equal((await stat(join(folder.dir, name))).mode & 0o777, 0o600);
  const state = JSON.parse(await readText(folder, 'cluster.rkestate'));
  assert.match(state.desiredState.certificatesBundle['kube-ca'].certificatePEM, /BEGIN CERTIFICATE/);

  await allWell(folder, ['host-1']);
  const serial = () =>
    host.exec(['sha256sum', '/etc/kubernetes/ssl/kube-ca.pem', '/etc/kubernetes/ssl/kube-apiserver.pem']);
  const [ca, apiserver] = (await serial()).split('\n');
  const rotated = await folder.rke(['cert', 'rotate']);
  assert.equal(rotated.code, 0, rotated.stderr);
  const [sameCa, otherApiserver] = (await serial()).split('\n');
  assert.equal(sameCa, ca);
  assert.notEqual(otherApiserver, apiserver);
  await allWell(folder, ['host-1']);
  assert.deepEqual((await folder.rke(['up'])).planned, []);

  const removed = await folder.rke(['remove', '--force']);
  assert.equal(removed.code, 0, removed.stderr);
  await nothingLeft(host);
});

test('three hosts are one cluster; one that is lost is replaced, and all three by a snapshot on new ones', {
  skip,
}, async t => {
  await using world = await startHosts({ count: 3, signal: t.signal });
  await using folder = await makeRkeFolder(world, await kubectl());
  await folder.write({ nodes: world.hosts.map(host => nodeOf(host, everything)), cluster_name: 'three' });
  const names = world.hosts.map(({ name }) => name);

  const began = performance.now();
  const first = await folder.rke(['up']);
  assert.equal(first.code, 0, `${first.stderr}\n${JSON.stringify(first.events.at(-1))}`);
  t.diagnostic(`${first.planned.length} steps in ${Math.round((performance.now() - began) / 1000)} s`);
  const again = await folder.rke(['up']);
  assert.deepEqual([again.code, again.planned], [0, []]);
  await allWell(folder, names);
  await podsTalk(folder, world.hosts);
  await policiesHold(folder, world.hosts);

  const lost = world.hosts[1]!;
  await lost.stop({ forget: true });
  // Where it led, the others need a moment to choose another.
  const keep = () => folder.kubectl(['create', 'configmap', 'kept', '--from-literal=a=b']);
  await until('the two others to take writes', keep, { timeoutMs: 120_000, everyMs: 500 });
  const unreachable = await folder.rke(['up']);
  assert.equal(unreachable.code, 1);
  assert.match(unreachable.stderr, /nothing was changed:\nhost-2: /);
  await lost.start();
  const mended = await folder.rke(['up']);
  assert.equal(mended.code, 0, `${mended.stderr}\n${JSON.stringify(mended.events.at(-1))}`);
  assert.ok(mended.planned.includes('etcd/host-2/remove member etcd-host-2'), mended.planned.join('\n'));
  assert.ok(!mended.planned.some(step => step.startsWith('etcd/host-1/')), mended.planned.join('\n'));
  assert.equal(await folder.kubectl(['get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}']), 'b');
  await allWell(folder, names);
  assert.deepEqual((await folder.rke(['up'])).planned, []);

  const saved = await folder.rke(['etcd', 'snapshot-save', '--name', 'before']);
  assert.equal(saved.code, 0, saved.stderr);
  await folder.kubectl(['delete', 'configmap', 'kept']);
  for (const host of world.hosts) await host.stop({ forget: true });
  const fresh = [await world.add(), await world.add(), await world.add()];
  await rm(join(folder.dir, 'cluster.rkestate'));
  await folder.write({ nodes: fresh.map(host => nodeOf(host, everything)), cluster_name: 'three' });
  const copy = join(folder.dir, 'snapshots', 'before.db');
  const restored = await folder.rke(['etcd', 'snapshot-restore', '--from', copy]);
  assert.equal(restored.code, 0, `${restored.stderr}\n${JSON.stringify(restored.events.at(-1))}`);
  assert.equal(await folder.kubectl(['get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}']), 'b');
  await allWell(
    folder,
    fresh.map(({ name }) => name),
  );
  const nodes = await folder.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}']);
  assert.equal(nodes, fresh.map(({ name }) => name).join(' '));
});

test('a file with mistakes is refused with all of them, and no host is touched', { skip }, async () => {
  await using world = await startHosts({ count: 1 });
  await using folder = await makeRkeFolder(world, await kubectl());
  const host = world.hosts[0]!;
  const before = await host.exec(['find', '/etc', '/opt', '-newer', '/etc/machine-id', '-type', 'f']);
  await folder.write({
    nodes: [nodeOf(host, ['etcd', 'master']), { ...nodeOf(host, everything), hostname_override: 'other' }],
    kubernetes_verison: 'v1.36.3',
    network: { plugin: 'weave' },
  });
  const { code, stderr, events } = await folder.rke(['up']);
  assert.deepEqual([code, events], [1, []]);
  for (const said of [
    /"master" is none of etcd, controlplane, worker/,
    /the same as that of nodes\[0\]/,
    /weave can't be had/,
  ])
    assert.match(stderr, said);
  assert.equal(await host.exec(['find', '/etc', '/opt', '-newer', '/etc/machine-id', '-type', 'f']), before);
});

/** All nodes ready, and what the engine keeps in the cluster available. */
async function allWell(folder: RkeFolder, names: readonly string[]): Promise<void> {
  const timeoutMs = 180_000;
  const everyMs = 500;
  const states = async () => {
    const path = '{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status} {end}';
    return (await folder.kubectl(['get', 'nodes', '-o', `jsonpath=${path}`])).trim();
  };
  const wanted = names.map(name => `${name}=True`).join(' ');
  await until('all nodes to be ready', async () => (await states()) === wanted, { timeoutMs, everyMs });
  for (const name of ['coredns', 'metrics-server'])
    await folder.kubectl(['--namespace', 'kube-system', 'rollout', 'status', `deployment/${name}`, '--timeout=180s']);
}

// wget's own -T crashes in Debian's static build.
const wget = ['timeout', '10', 'wget', '-q', '-O', '-'];

/** Pods on all hosts answer each other by address, by service and by name. */
async function podsTalk(folder: RkeFolder, hosts: readonly TestHost[]): Promise<void> {
  await importBusybox(hosts);
  const server = ['sh', '-c', 'mkdir -p /www; hostname >/www/index.html; exec httpd -f -p 8080 -h /www'];
  for (const host of hosts) {
    const overrides = { spec: { nodeName: host.name, terminationGracePeriodSeconds: 0 } };
    const name = `web-${host.name}`;
    await folder.kubectl([
      ...['run', name, `--image=${busyboxImage}`, '--image-pull-policy=Never', '--labels=app=web'],
      ...[`--overrides=${JSON.stringify(overrides)}`, '--command', '--', ...server],
    ]);
  }
  const pods = hosts.map(({ name }) => `web-${name}`);
  await folder.kubectl(['wait', '--for=condition=Ready', '--timeout=120s', ...pods.map(name => `pod/${name}`)]);
  await folder.kubectl(['create', 'service', 'clusterip', 'web', '--tcp=80:8080']);
  for (const from of pods) {
    for (const to of pods) {
      const address = await folder.kubectl(['get', 'pod', to, '-o', 'jsonpath={.status.podIP}']);
      const answer = await folder.kubectl(['exec', from, '--', ...wget, `http://${address}:8080/`]);
      assert.equal(answer.trim(), to);
    }
    const byName = () => folder.kubectl(['exec', from, '--', ...wget, 'http://web.default.svc.cluster.local/']);
    assert.match(await until(`the name of a service in ${from}`, byName, { timeoutMs: 60_000 }), /^web-host-/);
  }
}

async function nothingLeft(host: TestHost): Promise<void> {
  const left = await host.exec([
    'sh',
    '-c',
    `ls -d /opt/drover /etc/drover /etc/kubernetes /var/lib/kubelet /var/lib/etcd/member /etc/systemd/system/drover-* 2>/dev/null
ip -o link | grep -E 'flannel|cni0|veth.*@'
iptables-save | grep -E 'KUBE-|FLANNEL|CNI-'
nft list tables | grep drover
grep -E '/var/lib/kubelet/pods|/run/drover' /proc/mounts
pgrep -fa '^/opt/drover'
pgrep -x containerd
true`,
  ]);
  assert.equal(left, '');
}
