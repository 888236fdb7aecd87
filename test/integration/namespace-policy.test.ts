/**
 * Who puts namespaces into projects and says which pods run in them, asked by kubectl's own way of a real kube-apiserver: what
 * v3 would refuse is refused there too.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ignoreNotFound, until } from '@drover/base';
import { admissionPolicies, admissionPolicyBindings, KubeClient, namespaces } from '@drover/kube';
import { type ServerProcess, startServer } from '../server-process.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;
const slow = { timeoutMs: 60_000 };
const projectKey = 'field.cattle.io/projectId';
const enforce = 'pod-security.kubernetes.io/enforce';
const namespaceRule = { apiGroups: [''], resources: ['namespaces'], verbs: ['*'] };
let cluster: TestApiServer;
let server: ServerProcess;
let kube: KubeClient;
let admin: string;
let id: string;
let shop: string;
let web: string;
let other: string;
let policy: string;

before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  kube = new KubeClient(cluster.connection);
  server = await startServer({ args: ['--cluster', 'context:test'], env: { KUBECONFIG: cluster.kubeconfigPath } });
  admin = await server.login();
  id = await until(
    'the cluster to be active',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
      return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
    },
    slow,
  );
  const project = async (name: string) =>
    (await server.ask(admin, 'POST', '/v3/projects', { name, clusterId: id })).id as string;
  [shop, web, other] = [await project('shop'), await project('web'), await project('other')];
  policy = await until(
    'the policy to be there',
    async () => {
      const { items } = await kube.list(admissionPolicyBindings, {});
      return items.find(({ metadata }) => metadata.name.startsWith('drover-namespaces'))?.metadata.name;
    },
    slow,
  );
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

type Metadata = Record<'labels' | 'annotations', Record<string, string | null>>;

const into = (projectId: string | null): Metadata => ({
  annotations: { [projectKey]: projectId },
  labels: { [projectKey]: projectId?.split(':')[1] ?? null },
});

/** As kubectl does, through the proxy. */
const patch = (token: string, name: string, metadata: Partial<Metadata>, query = '') =>
  server.fetch('PATCH', `/k8s/clusters/${id}/api/v1/namespaces/${name}${query}`, {
    token,
    body: { metadata },
    headers: { 'content-type': 'application/merge-patch+json' },
  });

const create = (token: string, name: string, metadata: Partial<Metadata>) =>
  server.fetch('POST', `/k8s/clusters/${id}/api/v1/namespaces`, {
    token,
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } },
  });

const make = (name: string, projectId: string) =>
  kube.create(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, ...(into(projectId) as { labels: Record<string, string>; annotations: Record<string, string> }) },
  });

/** A user with a role of these rules in each of the projects. */
async function member(username: string, rules: readonly object[], ...projects: string[]): Promise<string> {
  const { id: userId, token } = await server.makeUser(admin, username);
  const role = { name: username, context: 'project', rules };
  const { id: roleTemplateId } = await server.ask(admin, 'POST', '/v3/roletemplates', role);
  for (const projectId of projects)
    await server.ask(admin, 'POST', '/v3/projectroletemplatebindings', { projectId, roleTemplateId, userId });
  return token;
}

const refused = (answer: { status: number; body: { message?: string } }, about: RegExp) => {
  assert.deepEqual([answer.status, about.test(answer.body.message ?? '')], [403, true], JSON.stringify(answer.body));
};

test('a namespace is moved by who may in both projects, and its label says what its annotation does', {
  skip,
  timeout: 180_000,
}, async () => {
  await make('shop', shop);
  await make('foreign', other);
  const token = await member('keeper', [namespaceRule], shop, web);
  const mine = async () => (await patch(token, 'shop', { labels: { mine: 'yes' } })).status === 200;
  await until('the namespace to be his to change', mine, slow);
  // An API server puts a new policy into force a moment after it has it.
  const inForce = async () => (await patch(token, 'shop', into(other), '?dryRun=All')).status === 403;
  await until('the policy to be in force', inForce, slow);
  for (const bad of [other, 'nonsense', ':', `${id}:p-none`])
    refused(await patch(token, 'shop', into(bad)), /manage-namespaces/);
  refused(await patch(token, 'shop', { labels: { [projectKey]: other.split(':')[1]! } }), /must name the project/);
  refused(await create(token, 'made', into(other)), /manage-namespaces/);
  const moved = async () => (await patch(token, 'shop', into(web))).status === 200;
  await until('both projects to be his', moved, slow);
  assert.equal((await kube.get(namespaces, 'shop')).metadata.annotations?.[projectKey], web);
  const back = async () => (await patch(token, 'shop', into(shop))).status === 200;
  await until('it to be moved back', back, slow);
  assert.equal((await create(token, 'made', into(shop))).status, 201);
});

test('a namespace is not taken out of a project of others by who may change it', {
  skip,
  timeout: 180_000,
}, async () => {
  const { id: userId, token } = await server.makeUser(admin, 'clerk');
  await kube.create({ apiVersion: 'rbac.authorization.k8s.io/v1', resource: 'clusterroles', namespaced: false }, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'clerk' },
    rules: [namespaceRule],
  } as never);
  await kube.create(
    { apiVersion: 'rbac.authorization.k8s.io/v1', resource: 'clusterrolebindings', namespaced: false },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'clerk' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'clerk' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: userId }],
    } as never,
  );
  const body = { clusterId: id, roleTemplateId: 'cluster-member', userId };
  await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', body);
  const may = async () => (await patch(token, 'foreign', { labels: { by: 'clerk' } })).status === 200;
  await until('his right by a hand in the cluster to hold', may, slow);
  refused(await patch(token, 'foreign', into(null)), /manage-namespaces/);
  refused(await patch(token, 'foreign', { labels: { [enforce]: 'privileged' } }), /updatepsa/);
  assert.equal((await create(token, 'of-nobody', {})).status, 201);
});

test('pod security is set by who has that right on the project', { skip, timeout: 180_000 }, async () => {
  const psa = { apiGroups: ['management.cattle.io'], resources: ['projects'], verbs: ['updatepsa'] };
  const [plain, guard] = [
    await member('plain', [namespaceRule], shop),
    await member('guard', [namespaceRule, psa], shop),
  ];
  const labels = { [enforce]: 'privileged' };
  const mine = async () => (await patch(plain, 'shop', { labels: { plain: 'yes' } })).status === 200;
  await until('the namespace to be his to change', mine, slow);
  refused(await patch(plain, 'shop', { labels }), /updatepsa/);
  refused(await create(plain, 'loose', { ...into(shop), labels: { ...into(shop).labels, ...labels } }), /updatepsa/);
  const set = async () => (await patch(guard, 'shop', { labels })).status === 200;
  await until('the right to hold', set, slow);
  refused(await patch(plain, 'shop', { labels: { [enforce]: null } }), /updatepsa/);
  assert.equal((await patch(admin, 'shop', { labels: { [enforce]: null } })).status, 200);
});

test('a policy that somebody takes away comes back, and it goes with the cluster', {
  skip,
  timeout: 240_000,
}, async () => {
  const there = () => ignoreNotFound(kube.get(admissionPolicies, policy));
  await kube.delete(admissionPolicies, policy);
  await until('the policy to be back', async () => (await there()) !== undefined, { timeoutMs: 120_000 });
  await server.fetch('DELETE', `/v3/clusters/${id}`, { token: admin });
  await until('the policy to be gone', async () => (await there()) === undefined, slow);
  assert.equal(await ignoreNotFound(kube.get(admissionPolicyBindings, policy)), undefined);
});
