/**
 * Isolation of projects in a real kube-apiserver: policies come with the switch and with each namespace, are put right, follow a
 * namespace to another project, and go with the switch.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Resource, until } from '@drover/base';
import { KubeClient, networkPolicies } from '@drover/kube';
import { type ServerProcess, startServer } from '../server-process.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;
let cluster: TestApiServer;
let server: ServerProcess;
let kube: KubeClient;
let admin: string;
let id: string;
let shop: string;
let other: string;

interface Policy extends Resource {
  readonly spec: {
    readonly ingress: { from: { namespaceSelector?: { matchExpressions: { values: string[] }[] } }[] }[];
  };
}

const soon = <T>(what: string, ask: () => Promise<T | undefined>) => until(what, ask, { timeoutMs: 60_000 });

before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  kube = new KubeClient(cluster.connection);
  server = await startServer({ args: ['--cluster', 'context:test'], env: { KUBECONFIG: cluster.kubeconfigPath } });
  admin = await server.login();
  id = await soon<string>('the cluster to be active', async () => {
    const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
    return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
  });
  const project = async (name: string) =>
    (await server.ask(admin, 'POST', '/v3/projects', { name, clusterId: id })).id as string;
  [shop, other] = [await project('shop'), await project('other')];
  await namespace('shop', shop);
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

async function namespace(name: string, projectId: string): Promise<void> {
  await soon('the right to make it', async () => {
    const body = { name, projectId };
    return (await server.fetch('POST', `/v3/cluster/${id}/namespaces`, { token: admin, body })).status === 201;
  });
}

/** The projects that a namespace is open to; undefined where it has no policy. */
async function openTo(name: string): Promise<string[] | undefined> {
  const { items } = await kube.list<Policy>(networkPolicies, { namespace: name });
  return items[0]?.spec.ingress[0]?.from[0]?.namespaceSelector?.matchExpressions[0]?.values;
}
const system = async (): Promise<string> => {
  const { data } = await server.ask(admin, 'GET', `/v3/projects?clusterId=${id}&name=System`);
  return data[0].id.split(':')[1];
};
const nameOf = (projectId: string) => projectId.split(':')[1]!;
const isOpenTo = (name: string, projectId: string) =>
  soon(`${name} to be open to ${projectId}`, async () => {
    const to = await openTo(name);
    return to !== undefined && to.join() === [nameOf(projectId), await system()].join();
  });

test('nothing is isolated until it is switched on; then namespaces of projects are, and none of System', {
  skip,
}, async () => {
  assert.equal(await openTo('shop'), undefined);
  const changed = await server.ask(admin, 'PUT', `/v3/clusters/${id}`, { enableNetworkPolicy: true });
  assert.equal(changed.enableNetworkPolicy, true);
  await isOpenTo('shop', shop);
  assert.equal(await openTo('kube-system'), undefined);
  await soon('the cluster to say so', async () => {
    return (await server.ask(admin, 'GET', `/v3/clusters/${id}`)).appliedEnableNetworkPolicy === true;
  });
  const { data } = await server.ask(admin, 'GET', '/v3/projectnetworkpolicies');
  const projects = data.map((one: { projectId: string }) => one.projectId);
  assert.ok(projects.includes(shop) && projects.includes(other));
  assert.ok(!projects.includes(`${id}:${await system()}`));
});

test('a new namespace is isolated within moments, and follows to another project', { skip }, async () => {
  await namespace('later', shop);
  await isOpenTo('later', shop);
  await server.ask(admin, 'POST', `/v3/cluster/${id}/namespaces/later?action=move`, { projectId: other }, 200);
  await isOpenTo('later', other);
});

test('a policy that somebody opens or takes away is put right', { skip }, async () => {
  await kube.patch(networkPolicies, 'np-default', { spec: { ingress: [{}] } }, { type: 'merge', namespace: 'shop' });
  await isOpenTo('shop', shop);
  await kube.delete(networkPolicies, 'np-default', { namespace: 'shop' });
  await isOpenTo('shop', shop);
});

test('members see that their project is isolated, and others do not', { skip }, async () => {
  const mia = await server.makeUser(admin, 'mia');
  const list = async () =>
    (await server.ask(mia.token, 'GET', '/v3/projectnetworkpolicies')).data as { projectId: string }[];
  assert.deepEqual(await list(), []);
  const grant = { projectId: shop, roleTemplateId: 'project-owner', userId: mia.id };
  await server.ask(admin, 'POST', '/v3/projectroletemplatebindings', grant);
  assert.deepEqual(
    (await list()).map(one => one.projectId),
    [shop],
  );
});

test('all of it goes when it is switched off', { skip }, async () => {
  await server.ask(admin, 'PUT', `/v3/clusters/${id}`, { enableNetworkPolicy: false });
  await soon('the policies to be gone', async () => {
    const { items } = await kube.list(networkPolicies);
    const { data } = await server.ask(admin, 'GET', '/v3/projectnetworkpolicies');
    return items.length === 0 && data.length === 0;
  });
  await soon('the cluster to say so', async () => {
    return (await server.ask(admin, 'GET', `/v3/clusters/${id}`)).appliedEnableNetworkPolicy === false;
  });
});
