/**
 * Agents on a cluster's nodes, the second way in: while the cluster's own agent is away, people and controllers go through one of
 * them, and are told so.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { findCondition, type Resource, until } from '@drover/base';
import { KubeClient, namespaces } from '@drover/kube';
import { parseAllDocuments } from 'yaml';
import type { Child } from './child.ts';
import { type Hub, startAgent, startHub } from './hub.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const run = promisify(execFile);
const skip = missingApiServer() ?? false;
const patient = { timeoutMs: 60_000 };
let hub: Hub;
let api: TestApiServer;
let other: TestApiServer;
let cluster: { readonly id: string; readonly token: string };
let agent: Child;
const nodes: Child[] = [];
const started: Child[] = [];
let admin: Awaited<ReturnType<Hub['makeUser']>>;
let member: typeof admin;

before(async () => {
  if (skip) return;
  hub = await startHub();
  [api, other] = await Promise.all([startApiServer(), startApiServer()]);
  admin = await hub.makeUser('root', 'admin');
  member = await hub.makeUser('mia');
  cluster = await hub.makeCluster('demo');
  await hub.grant(cluster.id, member.id, 'pods-view');
  const manifest = await run('curl', ['-sk', `${hub.url}/v3/import/${cluster.token}_${cluster.id}.yaml`]);
  await using direct = new KubeClient(api.connection);
  const isRights = (one: Resource) => /Namespace|ClusterRole/.test(one.kind);
  for (const document of parseAllDocuments(manifest.stdout)) {
    const object = document.toJS() as Resource;
    if (isRights(object)) await direct.apply(object, { fieldManager: 'test' });
  }
  agent = await start();
  for (const name of ['one.example', 'two.example']) nodes.push(await start(name));
  await until('the cluster to be ready', () => status('Ready') === 'True', patient);
});
after(async () => {
  for (const child of started) await child[Symbol.asyncDispose]();
  await hub?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
});

/** The cluster's own agent, or that of a node. */
async function start(node?: string, of = api): Promise<Child> {
  const args = node === undefined ? [] : ['--node', node];
  const child = await startAgent(hub, { token: cluster.token, kubeconfigPath: of.kubeconfigPath, args });
  started.push(child);
  return child;
}

const condition = (type: string) => findCondition(hub.caches.cluster.get(cluster.id)?.status?.conditions, type);
const status = (type: string) => condition(type)?.status;

const reaches = (person: typeof admin): Promise<boolean> =>
  namesAs(person).then(
    names => names.includes('kube-system'),
    () => false,
  );

async function namesAs(person: typeof admin): Promise<string[]> {
  await using client = hub.client(cluster.id, person.bearer);
  return (await client.list(namespaces)).items.map(({ metadata }) => metadata.name);
}

test('without the cluster’s own agent its nodes lead there, with everybody’s own rights', { skip }, async () => {
  // The nodes' agents may have come first.
  await until('the agent to be gone through', () => condition('Connected')?.message === undefined, patient);
  for (const person of [admin, member]) await until('people’s rights there', () => reaches(person), patient);
  agent.kill('SIGKILL');
  await until('the way through a node', () => Boolean(hub.clusters.upstreams.get(cluster.id).note), patient);
  assert.ok((await namesAs(admin)).includes('kube-system'));
  assert.ok((await namesAs(member)).includes('kube-system'));
  await using client = hub.client(cluster.id, member.bearer);
  const made = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'not-his' } };
  await assert.rejects(client.create(namespaces, made), { status: 403 });
  await until(
    'people to be told',
    () => /through the agent on one of its nodes/.test(condition('Connected')?.message ?? ''),
    patient,
  );
  assert.deepEqual([status('Connected'), status('Ready')], ['True', 'True']);
});

test('when that node goes too, another is taken; with none left the cluster is away', { skip }, async () => {
  nodes[0]!.kill('SIGKILL');
  await until('the other node', () => reaches(admin), patient);
  nodes[1]!.kill('SIGKILL');
  await until('it to be away', () => status('Connected') === 'False', patient);
  await assert.rejects(namesAs(admin), { status: 503 });
});

test('the cluster’s own agent is gone through again once it is back', { skip }, async () => {
  nodes.push(await start('three'));
  await until('the node', () => status('Connected') === 'True', patient);
  agent = await start();
  await until(
    'the agent',
    () => condition('Connected')?.message === undefined && status('Connected') === 'True',
    patient,
  );
  assert.equal(hub.clusters.upstreams.get(cluster.id).note, undefined);
});

test('a node of another cluster is no way into this one', { skip }, async () => {
  const stray = await start('stray', other);
  await until('it to be refused', async () => /registered before and is another one/.test(await stray.tail()), patient);
});
