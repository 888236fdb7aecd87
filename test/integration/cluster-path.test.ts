/**
 * The path to a cluster, whole: a real kube-apiserver, our agent as a process of its own, the server's front with TLS,
 * and clients that reach through: real kubectl and our own.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { findCondition, isTrue, type Resource, type Secret, until } from '@drover/base';
import { configMaps, KubeClient, namespaces, nodes, pods } from '@drover/kube';
import { parseAllDocuments } from 'yaml';
import type { Child } from './child.ts';
import { type Hub, startAgent, startHub } from './hub.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';
import { missingKubeBinaries } from './kube-binaries.ts';

const run = promisify(execFile);
const skip = missingApiServer() ?? missingKubeBinaries('kubectl');

interface Person {
  readonly id: string;
  readonly bearer: Secret;
}

describe('the path to a cluster', { skip }, () => {
  let hub: Hub;
  let api: TestApiServer;
  let direct: KubeClient;
  let agent: Child;
  let cluster: { readonly id: string; readonly token: string };
  let admin: Person;
  let member: Person;
  let stranger: Person;

  const condition = (type: string) => findCondition(hub.caches.cluster.get(cluster.id)?.status?.conditions, type);
  const isReady = () => isTrue(hub.caches.cluster.get(cluster.id)?.status?.conditions, 'Ready');
  const kubectl = async (person: Person, ...args: string[]) => {
    const kubeconfig = await hub.kubeconfig(cluster.id, person.bearer);
    return run(api.kubectl, ['--kubeconfig', kubeconfig, ...args], { timeout: 60_000, maxBuffer: 64 << 20 });
  };

  before(async () => {
    hub = await startHub();
    api = await startApiServer();
    direct = new KubeClient(api.connection);
    [admin, member, stranger] = [
      await hub.makeUser('root', 'admin'),
      await hub.makeUser('mia'),
      await hub.makeUser('sam'),
    ];
    cluster = await hub.makeCluster('demo');
    await hub.grant(cluster.id, member.id, 'pods-view');
  });

  after(async () => {
    await agent?.[Symbol.asyncDispose]();
    await direct?.[Symbol.asyncDispose]();
    await hub?.[Symbol.asyncDispose]();
    await api?.[Symbol.asyncDispose]();
  });

  test('before its agent came, a cluster is said not to be connected, at once', async () => {
    const client = hub.client(cluster.id, admin.bearer);
    const started = performance.now();
    await assert.rejects(client.list(pods), {
      status: 503,
      message: /cluster "demo" is not connected: its agent has never/,
    });
    assert.ok(performance.now() - started < 5000);
    await client[Symbol.asyncDispose]();
    await assert.rejects(kubectl(admin, 'get', 'pods'), /Warning: cluster "demo" is not connected/);
    await until('the pending state', () => condition('Pending')?.reason === 'AgentMissing');
  });

  test('its manifest is YAML that kubectl applies, and a wrong token gets none', async () => {
    const manifestUrl = `${hub.url}/v3/import/${cluster.token}_${cluster.id}.yaml`;
    const fetchText = async (url: string) => (await run('curl', ['-sk', '-w', '\n%{http_code}', url])).stdout;
    const text = await fetchText(manifestUrl);
    const lines = text.trimEnd().split('\n');
    assert.equal(lines.pop(), '200');
    const documents = parseAllDocuments(lines.join('\n'));
    assert.ok(documents.length >= 10);
    const file = join(hub.dir, 'import.yaml');
    await writeFile(file, lines.join('\n'));
    await run(api.kubectl, ['--kubeconfig', api.kubeconfigPath, 'apply', '-f', file]);
    for (const wrong of [`${'x'.repeat(54)}_${cluster.id}.yaml`, `${cluster.token}_c-other.yaml`])
      assert.match(await fetchText(`${hub.url}/v3/import/${wrong}`), /cluster not found or invalid token\n400/);
    assert.match(await fetchText(`${hub.url}/v3/import/nonsense`), /404$/);
  });

  test('its agent connects, and the cluster is ready with version and identity', async () => {
    agent = await startAgent(hub, { token: cluster.token, kubeconfigPath: api.kubeconfigPath });
    await until('the cluster to be ready', isReady, { timeoutMs: 20_000 });
    const status = hub.caches.cluster.get(cluster.id)?.status;
    assert.match(status?.version?.gitVersion ?? '', /^v1\./);
    const kubeSystem = await direct.get<Resource>(namespaces, 'kube-system');
    assert.equal(status?.clusterUid, kubeSystem.metadata.uid);
    assert.equal(status?.driver, 'imported');
  });

  test('an admin reaches all of it with kubectl: apply, server-side apply, patch, list, watch, delete', async () => {
    const { stdout } = await kubectl(admin, 'get', 'namespaces', '-o', 'name');
    assert.match(stdout, /namespace\/kube-system/);
    await kubectl(admin, 'create', 'namespace', 'team');
    const file = join(hub.dir, 'map.yaml');
    await writeFile(file, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: team}\ndata: {a: "1"}\n');
    await kubectl(admin, 'apply', '-f', file);
    await kubectl(admin, 'apply', '--server-side', '--force-conflicts', '-f', file);
    await kubectl(admin, 'patch', 'configmap', 'one', '-n', 'team', '--type=merge', '-p', '{"data":{"b":"2"}}');
    const seen = await direct.get<Resource & { data: object }>(configMaps, 'one', { namespace: 'team' });
    assert.deepEqual(seen.data, { a: '1', b: '2' });
    const waited = kubectl(admin, 'wait', '--for=delete', 'configmap/one', '-n', 'team', '--timeout=20s');
    await kubectl(admin, 'delete', 'configmap', 'one', '-n', 'team');
    await waited;
    await kubectl(admin, 'api-resources');
    await kubectl(admin, 'explain', 'pods.spec');
  });

  test('a member may what his role says, a stranger nothing, and no id can be tried out', async () => {
    await until(
      'the member’s rights to be in the cluster',
      () => kubectl(member, 'get', 'pods', '-A').then(() => true),
      {
        timeoutMs: 30_000,
        everyMs: 200,
      },
    );
    await assert.rejects(kubectl(member, 'get', 'secrets', '-A'), /secrets is forbidden: User "u-\w+" cannot list/);
    await assert.rejects(
      kubectl(member, 'get', 'secrets', '-A'),
      /Warning: it may be granted by an owner of the cluster/,
    );
    await assert.rejects(kubectl(stranger, 'get', 'pods'), /you are not a member of a cluster/);
    const unknown = hub.client('c-zzzzz', stranger.bearer);
    await assert.rejects(unknown.list(pods), {
      status: 403,
      message: /^you are not a member of a cluster "c-zzzzz": /,
    });
    const gone = hub.client('c-zzzzz', admin.bearer);
    await assert.rejects(gone.list(pods), { status: 404 });
    await unknown[Symbol.asyncDispose]();
    await gone[Symbol.asyncDispose]();
  });

  test('its nodes show on the server with their figures, and go with it', async () => {
    const status = { capacity: { cpu: '4', memory: '8Gi' }, allocatable: { cpu: '4', memory: '8Gi' } };
    const node = await direct.create<Resource>(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
    await direct.updateStatus(nodes, { ...node, status });
    await until('the node and the sums', () => {
      const cluster_ = hub.caches.cluster.get(cluster.id);
      return cluster_?.status?.nodeCount === 1 && cluster_.status.capacity?.['cpu'] === '4';
    });
    assert.deepEqual(
      [...hub.caches.node.all()].map(({ status: seen }) => [seen?.nodeName, seen?.capacity?.['memory']]),
      [['n1', '8Gi']],
    );
    await direct.delete(nodes, 'n1');
    await until('the node to be gone', () => hub.caches.node.size === 0);
  });

  test('200 watches at once miss nothing, and one is cut when its token is taken back', async () => {
    const client = hub.client(cluster.id, admin.bearer);
    const { resourceVersion } = await client.list(configMaps, { namespace: 'team' });
    const stop = new AbortController();
    const seen = Array.from({ length: 200 }, () => new Set<string>());
    const watching = seen.map(async names => {
      const options = { namespace: 'team', resourceVersion, signal: stop.signal };
      try {
        for await (const event of client.watch<Resource>(configMaps, options))
          if (event.type === 'ADDED') names.add(event.object.metadata.name);
      } catch (error) {
        if (!stop.signal.aborted) throw error;
      }
    });
    for (let i = 0; i < 20; i++) {
      const metadata = { name: `w-${i}`, namespace: 'team' };
      await direct.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    }
    await until('every watch to have seen all', () => seen.every(names => names.size === 20), { timeoutMs: 30_000 });
    stop.abort();
    await Promise.all(watching);
    await client[Symbol.asyncDispose]();
    await until('the watches to be gone', () => [...hub.clusters.targets.running()].every(([, count]) => count < 10));

    const other = await hub.makeUser('tom', 'admin');
    const cut = hub.client(cluster.id, other.bearer);
    await until('his rights to be in the cluster', () => cut.list(configMaps).then(() => true));
    const events = cut.watch(configMaps, { namespace: 'team', resourceVersion })[Symbol.asyncIterator]();
    await events.next();
    await hub.resources.delete('token', { name: other.tokenId });
    await assert.rejects(async () => {
      for (;;) if ((await events.next()).done) throw new Error('ended');
    });
    await cut[Symbol.asyncDispose]();
  });

  test('an agent that is killed leaves the cluster unavailable with its cause, and comes back by itself', async () => {
    const client = hub.client(cluster.id, admin.bearer);
    const events = client.watch(configMaps, { namespace: 'team' })[Symbol.asyncIterator]();
    await events.next();
    const left = performance.now();
    await agent[Symbol.asyncDispose]();
    await assert.rejects(async () => {
      for (;;) if ((await events.next()).done) throw new Error('ended');
    });
    assert.ok(performance.now() - left < 5000, 'open watches end within 5 s');
    await assert.rejects(client.list(pods), { status: 503, message: /is not connected: .* \d+ s ago/ });
    await until('the state to tell', () => condition('Ready')?.status === 'False', { timeoutMs: 10_000 });
    assert.match(condition('Connected')?.message ?? '', /not connected/);
    agent = await startAgent(hub, { token: cluster.token, kubeconfigPath: api.kubeconfigPath });
    await until('the cluster to be back', isReady, { timeoutMs: 20_000 });
    await client.list(pods);
    await client[Symbol.asyncDispose]();
  });

  test('deleting the cluster takes out of it what was installed, and its token is good for nothing', async () => {
    await hub.resources.delete('cluster', { name: cluster.id });
    await until('the cluster to be forgotten', () => hub.caches.cluster.get(cluster.id) === undefined, {
      timeoutMs: 30_000,
    });
    const namespace = await direct.get<Resource>(namespaces, 'cattle-system');
    assert.ok(namespace.metadata.deletionTimestamp);
    await until('the agent to be refused', async () => /cluster not found/.test(await agent.tail()), {
      timeoutMs: 20_000,
    });
  });
});
