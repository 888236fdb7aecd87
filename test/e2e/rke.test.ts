/**
 * Clusters on hosts, as `drover rke` makes them: from bare hosts to pods that talk, killed at every step and gone on with, a host
 * lost and replaced, with new authorities and keys, restored from snapshots, and taken away again without a trace.
 */
import assert from 'node:assert/strict';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '@drover/base';
import { findBinaries, issueCert, makeCa } from '@drover/engine';
import { clustersSkipReason, startHosts, type TestHost, type TestHosts } from '../hosts/index.ts';
import { s3Binary, startS3 } from '../integration/s3-server.ts';
import { busyboxImage } from './node/image.ts';
import { importBusybox, makeRkeFolder, nodeOf, type RkeFolder, readText, snapshotOf } from './rke.ts';
import { policiesHold } from './rke-policies.ts';
import { renewOnThose } from './rke-renewal.ts';

const skip = (await clustersSkipReason()) ?? false;
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

  await newAuthorities(t, folder, host);
  await newKeys(folder, host);

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

  const wall = ['INPUT', '-p', 'tcp', '--dport', '2380', '-s', world.hosts[0]!.address, '-j', 'DROP'];
  await world.hosts[1]!.exec(['iptables', '-I', ...wall]);
  await world.hosts[2]!.exec(['iptables', '-I', 'INPUT', '-p', 'udp', '--dport', '8472', '-j', 'DROP']);
  const walled = await folder.rke(['up']);
  assert.deepEqual([walled.code, walled.events], [1, []]);
  assert.match(
    walled.stderr,
    /host-1: way: it does not reach host-2 at \S+:2380\/tcp \(etcd between members\): .*firewall/,
  );
  assert.match(walled.stderr, /host-2: way: it does not reach host-3 at \S+:8472\/udp/);
  assert.equal(walled.stderr.match(/: way:/g)?.length, 3);
  await world.hosts[1]!.exec(['iptables', '-D', ...wall]);
  await world.hosts[2]!.exec(['iptables', '-D', 'INPUT', '-p', 'udp', '--dport', '8472', '-j', 'DROP']);

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
  const there = [world.hosts[0]!, world.hosts[2]!];
  const proxies = () =>
    Promise.all(there.map(host => host.exec(['sha256sum', '/etc/kubernetes/ssl/kubecfg-kube-proxy.yaml'])));
  const old = await proxies();
  const { leftOut, steps } = await renewOnThose(folder, ['kube-proxy']);
  assert.deepEqual([...leftOut.keys()], ['host-2']);
  assert.ok(steps > 0);
  assert.ok(
    (await proxies()).every((one, at) => one !== old[at]),
    'the others have new certificates',
  );
  await lost.start();
  const mended = await folder.rke(['up']);
  assert.equal(mended.code, 0, `${mended.stderr}\n${JSON.stringify(mended.events.at(-1))}`);
  assert.ok(mended.planned.includes('etcd/host-2/remove member etcd-host-2'), mended.planned.join('\n'));
  assert.ok(!mended.planned.some(step => step.startsWith('etcd/host-1/')), mended.planned.join('\n'));
  assert.equal(await folder.kubectl(['get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}']), 'b');
  await allWell(folder, names);
  assert.deepEqual((await folder.rke(['up'])).planned, []);

  await snapshots(world, folder);
});

/** Saved on the hosts and in S3, restored in place, and on other hosts when these and everything beside the file are lost. */
async function snapshots(world: TestHosts, folder: RkeFolder): Promise<void> {
  const server = await s3Binary();
  if ('missing' in server) throw new Error(server.missing);
  const ca = await makeCa('s3');
  const cert = await issueCert(ca, { commonName: 's3', ips: [world.machineAddress], usages: ['server'] });
  await using s3 = await startS3({ binary: server.path, dir: folder.dir, cert, address: world.machineAddress });
  const write = (hosts: readonly TestHost[], secret = 'sk-secret') =>
    folder.write({
      nodes: hosts.map(host => nodeOf(host, everything)),
      cluster_name: 'three',
      services: {
        etcd: {
          backup_config: {
            s3backupconfig: {
              endpoint: s3.host,
              bucket_name: 'snapshots',
              region: 'eu-1',
              folder: 'prod',
              access_key: 'ak',
              secret_key: secret,
              custom_ca: ca.cert,
            },
          },
        },
      },
    });
  await write(world.hosts, 'sk-wrong');
  const wrong = await folder.rke(['etcd', 'snapshot-save', '--name', 'before', '--s3']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /secret key is not the one of the access key/);
  await write(world.hosts);
  const saved = await folder.rke(['etcd', 'snapshot-save', '--name', 'before', '--s3']);
  assert.equal(saved.code, 0, saved.stderr);
  assert.match(JSON.stringify(saved.events), /verified: \d+ keys/);
  const told = await folder.rke(['up']);
  assert.equal(told.code, 0, told.stderr);
  for (const said of [wrong, saved, told])
    assert.doesNotMatch(JSON.stringify(said), /sk-secret|sk-wrong/, 'no secret is ever said');
  for (const host of world.hosts)
    assert.equal(
      await host.exec([
        'sh',
        '-c',
        'grep -l sk-secre[t] /etc/systemd/system/* /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; true',
      ]),
      '',
    );

  const kept = () => folder.kubectl(['get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}']);
  const copy = await readFile(join(folder.dir, 'snapshots/before.db'));
  await writeFile(join(folder.dir, 'half.db'), copy.subarray(0, copy.length / 2));
  const state = JSON.parse(await readText(folder, 'cluster.rkestate'));
  const units = await Promise.all(world.hosts.map(snapshotOf));
  const half = await folder.rke(['etcd', 'snapshot-restore', '--from', join(folder.dir, 'half.db')]);
  assert.match(half.stderr, /it is of no use, and nothing was changed/);
  const other = { ...state, drover: { ...state.drover, clusterUid: '00000000-0000-4000-8000-000000000000' } };
  await writeFile(join(folder.dir, 'cluster.rkestate'), JSON.stringify(other));
  const foreign = await folder.rke(['etcd', 'snapshot-restore', '--name', 'before']);
  assert.match(foreign.stderr, /it is of another cluster .*nothing was changed/);
  await writeFile(join(folder.dir, 'cluster.rkestate'), JSON.stringify(state));
  assert.deepEqual(await Promise.all(world.hosts.map(snapshotOf)), units);

  await folder.kubectl(['delete', 'configmap', 'kept']);
  // Killed in its middle: hosts of two pasts must not be started beside each other.
  const killed = await folder.rke(['etcd', 'snapshot-restore', '--name', 'before'], ({ title }, kill) => {
    if (title === 'stop Kubernetes') kill();
  });
  assert.equal(killed.code, null);
  const between = await folder.rke(['up']);
  assert.match(between.stderr, /the snapshot before is half restored; restore it again/);
  const inPlace = await folder.rke(['etcd', 'snapshot-restore', '--name', 'before']);
  assert.equal(inPlace.code, 0, `${inPlace.stderr}\n${JSON.stringify(inPlace.events.at(-1))}`);
  assert.equal(await kept(), 'b');

  for (const host of world.hosts) await host.stop({ forget: true });
  const fresh = [await world.add(), await world.add(), await world.add()];
  await rm(join(folder.dir, 'cluster.rkestate'));
  await rm(join(folder.dir, 'snapshots'), { recursive: true });
  await write(fresh);
  const restored = await folder.rke(['etcd', 'snapshot-restore', '--s3', '--name', 'before']);
  assert.equal(restored.code, 0, `${restored.stderr}\n${JSON.stringify(restored.events.at(-1))}`);
  assert.equal(await kept(), 'b');
  const names = fresh.map(({ name }) => name);
  await allWell(folder, names);
  assert.equal(await folder.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}']), names.join(' '));
}

test('a file with mistakes touches no host; put right, it makes a cluster although the runs are killed within steps', {
  skip,
}, async t => {
  await using world = await startHosts({ count: 1, signal: t.signal });
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

  // Put right, and killed within its steps: whatever was half done is done again.
  await folder.write({ nodes: [nodeOf(host, everything)], cluster_name: 'killed' });
  const random = seeded(42);
  const within: string[] = [];
  while (within.length < 10) {
    let left = 1 + Math.floor(random() * 4);
    const wait = random() * 900;
    let last = '';
    const { code, stderr: said } = await folder.rke(['up'], ({ state, step }, kill) => {
      if (state === 'started') last = step;
      if (state === 'started' && --left === 0) setTimeout(kill, wait);
    });
    assert.ok(code === null || code === 0, said);
    if (code === 0) break;
    within.push(last);
  }
  t.diagnostic(`killed within ${within.join(', ')}`);
  assert.ok(within.length >= 6, 'it was to be killed again and again');
  const whole = await folder.rke(['up']);
  assert.equal(whole.code, 0, `${whole.stderr}\n${JSON.stringify(whole.events.at(-1))}`);
  await allWell(folder, ['host-1']);
  assert.deepEqual((await folder.rke(['up'])).planned, []);
});

/** Killed within each of its rounds and gone on with: the cluster answers all the while, and believes the old ones no more. */
async function newAuthorities(t: TestContext, folder: RkeFolder, host: TestHost): Promise<void> {
  const before = await readText(folder, 'kube_config_cluster.yml');
  const ca = () => host.exec(['cat', '/etc/kubernetes/ssl/kube-ca.pem']);
  const old = await ca();
  const random = seeded(20261130);
  let kills = 0;
  let rounds = 0;
  for (let code: number | null = null; code !== 0; ) {
    let left = kills < 5 ? 1 + Math.floor(random() * 6) : Number.POSITIVE_INFINITY;
    const outcome = await folder.rke(['cert', 'rotate', '--rotate-ca'], ({ state }, kill) => {
      if (state !== 'started' || --left !== 0) return;
      kills++;
      setTimeout(kill, random() * 700);
    });
    code = outcome.code;
    rounds++;
    assert.ok(code === 0 || code === null, outcome.stderr);
    assert.match(await folder.kubectl(['get', 'namespace', 'kube-system', '-o', 'name']), /kube-system/);
  }
  t.diagnostic(`authorities: ${kills} kills, ${rounds} runs`);
  const now = await ca();
  assert.equal(now.match(/BEGIN CERTIFICATE/g)?.length, 1);
  assert.ok(!now.includes(old.trim()), 'the old authority is trusted no more');
  await writeFile(join(folder.dir, 'old.yml'), before);
  const kept = ['--kubeconfig', join(folder.dir, 'old.yml'), '--insecure-skip-tls-verify', 'get', 'nodes'];
  await assert.rejects(folder.kubectl(kept), /Unauthorized|must be logged in/i);
  await allWell(folder, ['host-1']);
  assert.deepEqual((await folder.rke(['up'])).planned, []);
}

/** Secrets at rest: switched on, by a new key, switched off; read by nobody but the API server meanwhile, and by it always. */
async function newKeys(folder: RkeFolder, host: TestHost): Promise<void> {
  const write = (enabled: boolean) =>
    folder.write({
      nodes: [nodeOf(host, everything, 'admin')],
      cluster_name: 'one',
      services: { 'kube-api': { secrets_encryption_config: { enabled } } },
    });
  const stored = async () => {
    const flags =
      '--endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/ssl/kube-etcd-ca.pem --cert=/etc/kubernetes/ssl/kube-apiserver-etcd-client.pem --key=/etc/kubernetes/ssl/kube-apiserver-etcd-client-key.pem';
    const get = `/opt/drover/*/bin/etcdctl ${flags} get /registry/secrets/default/word --print-value-only | head -c 60 | tr -c '[:print:]' ' '`;
    return host.exec(['sh', '-c', get]);
  };
  const run = async (args: readonly string[]) => {
    const { code, stderr, events } = await folder.rke(args);
    assert.equal(code, 0, `${stderr}\n${JSON.stringify(events.at(-1))}`);
    const word = await folder.kubectl(['get', 'secret', 'word', '-o', 'jsonpath={.data.a}']);
    assert.equal(Buffer.from(word, 'base64').toString(), 'plain-text-word');
    return stored();
  };
  await folder.kubectl(['create', 'secret', 'generic', 'word', '--from-literal=a=plain-text-word']);
  const refused = await folder.rke(['encrypt', 'rotate-key']);
  assert.match(refused.stderr, /secrets_encryption_config\.enabled: is not true/);
  await write(true);
  const first = /k8s:enc:aescbc:v1:(key-\w+):/.exec(await run(['up']))?.[1];
  const second = /k8s:enc:aescbc:v1:(key-\w+):/.exec(await run(['encrypt', 'rotate-key']))?.[1];
  assert.ok(first && second && first !== second, `${first} became ${second}`);
  assert.ok(!(await host.exec(['cat', '/etc/kubernetes/ssl/encryption.yaml'])).includes(first));
  await allWell(folder, ['host-1']);
  assert.deepEqual((await folder.rke(['up'])).planned, []);
  await write(false);
  assert.match(await run(['up']), /^k8s {2}/);
  await allWell(folder, ['host-1']);
  assert.deepEqual((await folder.rke(['up'])).planned, []);
}

/** The same numbers in every run, from 0 to 1 (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

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
