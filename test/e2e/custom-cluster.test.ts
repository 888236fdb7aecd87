/**
 * A cluster on hosts, made by a server: from a command that is pasted on three hosts to pods, by way of a host that is not as it
 * should be and a server that is killed; reached while its agent is away and while the server is; brought back from a snapshot that only
 * S3 has, given new certificates, made smaller, and taken away without a trace.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { issueCert, makeCa, pinnedFilter } from '@drover/engine';
import { clustersSkipReason, type TestHost } from '../hosts/index.ts';
import { type S3Server, s3Binary, startS3 } from '../integration/s3-server.ts';
import { type CustomWorld, isClean, startCustomWorld } from './custom-world.ts';
import { kubectl, runKubectl } from './kubectl.ts';

const skip = (await clustersSkipReason()) ?? false;
const everything = ['--etcd', '--controlplane', '--worker'];
const slow = { timeoutMs: 420_000, everyMs: 500 };

// biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
type Wire = any;

let custom: CustomWorld;
let admin: string;
const undo = new AsyncDisposableStack();

before(async () => {
  if (skip) return;
  const services = { kubeApi: { secretsEncryptionConfig: { enabled: true } } };
  custom = undo.use(await startCustomWorld(3, { config: () => ({ services }) }));
});
after(() => undo.disposeAsync());

test('three hosts become a cluster, although one was not ready and the server is killed meanwhile', {
  skip,
}, async () => {
  const { hosts } = custom.world;
  // Something else has the kubelet's port on one of them.
  await hosts[1]!.exec(['systemd-run', '--unit=squatter', 'socat', 'TCP-LISTEN:10250,fork', 'OPEN:/dev/null']);
  const join = async (host: TestHost) =>
    assert.match(await custom.join(host, everything), new RegExp(`${host.name} is registered`));
  await join(hosts[1]!);
  const failed = await custom.reach(
    'the host that is not ready to be told',
    cluster => cluster.transitioning === 'error',
  );
  assert.equal(failed.state, 'provisioning');
  assert.match(failed.transitioningMessage, /host-2: port: 10250\/tcp \(kubelet\) is in use by .*socat/);
  const { data: told } = await custom.timeline();
  assert.ok(told.some((step: Wire) => step.state === 'failed' && /nothing was changed/.test(step.error)));
  await hosts[1]!.exec(['systemctl', 'stop', 'squatter']);
  await Promise.all([hosts[0]!, hosts[2]!].map(join));
  await until(
    'the middle of it',
    async () => {
      const { data } = await custom.timeline();
      return data.filter((step: Wire) => step.state === 'done' && step.stage === 'bundle').length >= 1;
    },
    { ...slow, everyMs: 50 },
  );
  await custom.stopServer('SIGKILL');
  await custom.startServer();
  const active = await custom.reach(
    'the cluster to be active',
    ({ state, nodeCount }) => state === 'active' && nodeCount === 3,
  );
  assert.deepEqual([active.driver, active.nodeCount], ['rancherKubernetesEngine', 3]);
  assert.ok(active.certificatesExpiration['kube-apiserver'].expirationDate);
  const { data } = await custom.timeline();
  assert.ok(
    data.some((step: Wire) => step.state === 'interrupted'),
    'what was killed is told',
  );
  assert.ok(data.every((step: Wire) => step.state !== 'started'));
  const sent = data.filter((step: Wire) => /is sent what it can/.test(step.title));
  assert.deepEqual(sent, [], 'hosts fetch the bundle by themselves');
  const pinned = `/opt/drover/*/bin/ctr --address /run/drover/containerd.sock --namespace k8s.io images list -q '${pinnedFilter}'`;
  const kept = (await hosts[0]!.exec(['sh', '-c', pinned])).trim().split('\n');
  for (const image of [/coredns/, /metrics-server/, /pause/, /drover\.local\/agent:/, /^docker\.io\/.*agent/])
    assert.ok(
      kept.some(name => image.test(name)),
      `${image} among the images that no full disk takes: ${kept}`,
    );
  const nodes = await custom.ask('GET', `/v3/clusters/${custom.clusterId}/nodes`);
  assert.deepEqual(nodes.data.map((node: Wire) => [node.requestedHostname, node.state]).sort(), [
    ['host-1', 'active'],
    ['host-2', 'active'],
    ['host-3', 'active'],
  ]);
});

test('kubectl through the server goes on while the cluster’s agent is away', { skip }, async () => {
  admin = await custom.server().login();
  const kubeconfig = await custom.kubeconfig(admin, 'admin');
  const rolledOut = ['-n', 'cattle-system', 'rollout', 'status', 'deployment/cattle-cluster-agent'];
  // His rights get into the cluster a moment after its agent has connected.
  await until('the agent', async () => (await runKubectl(rolledOut, { kubeconfig })).code === 0, slow);
  await kubectl(['-n', 'cattle-system', 'scale', 'deployment/cattle-cluster-agent', '--replicas=0'], { kubeconfig });
  await custom.reach('it to be reached through a node', ({ conditions }) =>
    conditions.some((one: Wire) => one.type === 'Connected' && one.reason === 'NodeAgent'),
  );
  assert.match(await kubectl(['get', 'nodes'], { kubeconfig }), /host-3/);
  await kubectl(['-n', 'cattle-system', 'scale', 'deployment/cattle-cluster-agent', '--replicas=1'], { kubeconfig });
});

test('with the server gone a member has his own rights at the cluster itself, until his token is taken back', {
  skip,
}, async () => {
  const server = custom.server();
  const member = await server.makeUser(admin, 'mia');
  await custom.ask('POST', '/v3/clusterRoleTemplateBindings', {
    clusterId: custom.clusterId,
    userId: member.id,
    roleTemplateId: 'cluster-member',
  });
  await custom.reach('the endpoint to work', ({ conditions }) =>
    conditions.some((one: Wire) => one.type === 'AuthorizedEndpoint' && one.status === 'True'),
  );
  const kubeconfig = await custom.kubeconfig(member.token, 'mia');
  const direct = ['--context', 'hosts-host-1'];
  const nodes = () => runKubectl([...direct, 'get', 'nodes'], { kubeconfig });
  await until('his token to be in the cluster', async () => (await nodes()).code === 0, slow);
  await custom.stopServer('SIGTERM');
  assert.equal((await nodes()).code, 0);
  const refused = await runKubectl([...direct, '-n', 'kube-system', 'get', 'secrets'], { kubeconfig });
  assert.match(refused.stderr, /cannot list resource "secrets"/);
  assert.notEqual((await runKubectl(['get', 'nodes'], { kubeconfig })).code, 0, 'the way through the server is closed');
  const [old] = await agentsOnHosts();
  await custom.changeAgent({ 'etc/another-build': 'of the agent' });
  await custom.startServer();
  const name = /token: "([^":]+):/.exec(await readFile(kubeconfig, 'utf8'))![1];
  await custom.server().ask(member.token, 'DELETE', `/v3/tokens/${name}`, undefined, 204);
  await until('it to be good no more', async () => /Unauthorized|must be logged in/.test((await nodes()).stderr), slow);
  await agentsAre('the agent that the server has now', ([id, ...rest]) => id !== old![0] && rest.join() === 'tried');
});

test('an agent that does not come up is followed by the one before it', { skip }, async () => {
  const [before] = await agentsOnHosts();
  await custom.stopServer('SIGTERM');
  await custom.changeAgent({ 'usr/lib/drover/main.mjs': 'process.exit(3);' });
  await custom.startServer();
  await agentsAre(
    'the new one to be refused',
    ([id, refused, ...rest]) => id === before![0] && refused !== id && rest.join() === 'tried',
  );
  await custom.reach('all hosts to be here', ({ state }) => state === 'active');
});

test('what was there at a snapshot is there again after a restore, although only S3 has the snapshot', {
  skip,
}, async () => {
  admin = await custom.server().login();
  const kubeconfig = await custom.kubeconfig(admin, 'admin');
  await sendSnapshotsTo(undo.use(await startBucket()));
  await kubectl(['create', 'configmap', 'kept', '--from-literal=a=b'], { kubeconfig });
  const path = `/v3/clusters/${custom.clusterId}`;
  await custom.ask('POST', `${path}?action=backupEtcd`, {}, 200);
  const backup = await until(
    'the snapshot to be complete',
    async () => {
      const { data } = await custom.ask('GET', `${path}/etcdbackups`);
      const found = data.find((one: Wire) => one.manual);
      assert.notEqual(found?.transitioning, 'error', found?.transitioningMessage);
      return found?.state === 'active' && found;
    },
    slow,
  );
  assert.match(backup.filename, /-ms-/);
  for (const host of custom.world.hosts) await host.exec(['sh', '-c', 'rm /opt/rke/etcd-snapshots/*-ms-*']);
  await kubectl(['delete', 'configmap', 'kept'], { kubeconfig });
  await custom.ask('POST', `${path}?action=restoreFromEtcdBackup`, { etcdBackupId: backup.id }, 200);
  await custom.reach('the restore to be done', ({ state, rancherKubernetesEngineConfig: config }) =>
    Boolean(state === 'active' && !config.restore),
  );
  await until(
    'it to be there again',
    async () => (await runKubectl(['get', 'configmap', 'kept'], { kubeconfig })).code === 0,
    slow,
  );
});

test('new certificates of a component are on all hosts once they are asked for, and nothing else is', {
  skip,
}, async () => {
  const path = `/v3/clusters/${custom.clusterId}`;
  const certificates = async () => {
    const script =
      'cd /etc/kubernetes/ssl && sha256sum kubecfg-kube-scheduler.yaml kube-ca.pem kube-apiserver.pem kube-etcd-1*.pem';
    const read = async (host: TestHost) => (await host.exec(['sh', '-c', script])).trim().split('\n');
    return Promise.all(custom.world.hosts.map(read));
  };
  const before = await certificates();
  await custom.ask('POST', `${path}?action=rotateCertificates`, { services: ['kube-scheduler'] }, 200);
  const refused = await custom.server().fetch('POST', `${path}?action=rotateEncryptionKey`, { token: admin, body: {} });
  assert.equal(refused.status, 422, 'one after the other');
  await custom.reach('new certificates', ({ state, rancherKubernetesEngineConfig: config }) =>
    Boolean(state === 'active' && !config.rotateCertificates),
  );
  const after = await certificates();
  for (const [index, [scheduler, ...others]] of after.entries()) {
    const [old, ...same] = before[index]!;
    assert.notEqual(scheduler, old);
    assert.deepEqual(others, same);
  }
});

test('a node that is deleted leaves its host clean, and the last of a kind stays', { skip }, async () => {
  const node = async (name: string): Promise<Wire> => {
    const { data } = await custom.ask('GET', `/v3/clusters/${custom.clusterId}/nodes`);
    return data.find((one: Wire) => one.requestedHostname === name);
  };
  const third = await node('host-3');
  await custom.ask('DELETE', `/v3/nodes/${third.id}`);
  await until('the node to be gone', async () => (await node('host-3')) === undefined, slow);
  await until('its host to be clean', async () => (await isClean(custom.world.hosts[2]!)) === '', slow);
  const active = await custom.reach(
    'the cluster to be well',
    ({ state, nodeCount }) => state === 'active' && nodeCount === 2,
  );
  assert.equal(active.transitioning, 'no');
});

test('a cluster that is deleted leaves its hosts clean', { skip }, async () => {
  await custom.ask('DELETE', `/v3/clusters/${custom.clusterId}`);
  const gone = async () =>
    (await custom.server().fetch('GET', `/v3/clusters/${custom.clusterId}`, { token: admin })).status;
  await until('the cluster to be gone', async () => (await gone()) === 404, slow);
  for (const host of custom.world.hosts)
    await until(`${host.name} to be clean`, async () => (await isClean(host)) === '', slow);
});

/** Of each host: which agent it has, and what became of another. */
function agentsOnHosts(): Promise<string[][]> {
  const script = `cd /usr/local/lib/drover-node-agent && readlink current && { cat refused 2>/dev/null; [ -L previous ] || echo tried; }
systemctl is-active --quiet drover-node-agent && grep -q registered /var/lib/drover-node-agent/state.json || echo down`;
  return Promise.all(custom.world.hosts.map(async host => (await host.exec(['sh', '-c', script])).trim().split('\n')));
}

async function agentsAre(what: string, is: (agent: readonly string[]) => boolean): Promise<void> {
  let seen: string[][] = [];
  const all = async () => {
    seen = await agentsOnHosts();
    return seen.every(is);
  };
  await until(what, all, slow).catch(async error => {
    const log = await custom.world.hosts[0]!.exec(['journalctl', '-u', 'drover-node-agent', '-n', '40', '--no-pager']);
    throw new Error(`${error.message}: ${JSON.stringify(seen)}\n${log}`);
  });
}

interface Bucket extends AsyncDisposable {
  readonly server: S3Server;
  readonly ca: string;
}

/** On this machine, where the hosts reach it. */
async function startBucket(): Promise<Bucket> {
  await using made = new AsyncDisposableStack();
  const built = await s3Binary();
  if ('missing' in built) throw new Error(built.missing);
  const { machineAddress } = custom.world;
  const dir = await mkdtemp(join(tmpdir(), 'drover-s3-'));
  made.defer(() => rm(dir, { recursive: true }));
  const ca = await makeCa('s3');
  const cert = await issueCert(ca, { commonName: 's3', ips: [machineAddress], usages: ['server'] });
  const server = made.use(await startS3({ binary: built.path, dir, cert, address: machineAddress }));
  const keep = made.move();
  return { server, ca: ca.cert, [Symbol.asyncDispose]: () => keep.disposeAsync() };
}

/** As somebody does who changes a cluster that runs; its secret is in no answer. */
async function sendSnapshotsTo({ server, ca }: Bucket): Promise<void> {
  const s3BackupConfig = {
    ...{ endpoint: server.host, bucketName: 'snapshots', region: 'eu-1', folder: 'prod', customCa: ca },
    ...{ accessKey: 'ak', secretKey: 'sk-secret' },
  };
  const { rancherKubernetesEngineConfig: config } = await custom.cluster();
  const changed = await custom.ask('PUT', `/v3/clusters/${custom.clusterId}`, {
    rancherKubernetesEngineConfig: {
      ...config,
      services: { ...config.services, etcd: { ...config.services.etcd, backupConfig: { s3BackupConfig } } },
    },
  });
  assert.ok(!JSON.stringify(changed).includes('sk-secret'));
}
