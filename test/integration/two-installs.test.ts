/**
 * Two installs that manage one cluster, against a real kube-apiserver: each keeps and removes what is its own, what is from
 * before there were marks is taken over, and an install that leaves takes nothing of the other along.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RoleTemplate } from '@drover/api';
import type { Resource } from '@drover/base';
import { applyManifest, clusterRoleBindings, clusterRoles, KubeClient, namespaces } from '@drover/kube';
import {
  applyMembers,
  controllerRights,
  controllerUser,
  importManifest,
  type MemberPlan,
  planMembers,
  removeOurs,
} from '@drover/server';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;
const one = '11111111-1111-4111-8111-111111111111';
const two = '22222222-2222-4222-8222-222222222222';
const { signal } = new AbortController();
let cluster: TestApiServer;
let kube: KubeClient;

before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  kube = new KubeClient(cluster.connection);
});
after(async () => {
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const template = (name: string): RoleTemplate =>
  ({
    apiVersion: 'management.cattle.io/v3',
    kind: 'RoleTemplate',
    metadata: { name },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  }) as RoleTemplate;

function planOf(
  installUuid: string,
  users: readonly string[],
  role = `role-of-${installUuid.slice(0, 1)}`,
): MemberPlan {
  const given = users.map(name => ({
    subjects: [{ kind: 'User' as const, name }],
    roleTemplateName: role,
    owner: `c-1_crtb-${name}`,
  }));
  const admins = [{ kind: 'User' as const, name: `admin-${installUuid.slice(0, 1)}` }];
  return planMembers({ given, admins, template: name => template(name), installUuid });
}

/** Whom the bindings of members and admins are for, and the roles of members. */
async function granted(): Promise<{ users: string[]; roles: string[] }> {
  const users: string[] = [];
  const roles: string[] = [];
  type Binding = Resource & { readonly subjects?: readonly { readonly name: string }[] };
  for await (const binding of kube.listAll<Binding>(clusterRoleBindings, { signal }))
    if (/^(crb|globaladmin)-/.test(binding.metadata.name)) users.push(binding.subjects![0]!.name);
  for await (const role of kube.listAll<Resource>(clusterRoles, { signal }))
    if (/^role-of-/.test(role.metadata.name)) roles.push(role.metadata.name);
  return { users: users.sort(), roles };
}

test('each install keeps its own members and removes only those', { skip }, async () => {
  await applyMembers(kube, planOf(one, ['a', 'b']), { signal });
  await applyMembers(kube, planOf(two, ['c']), { signal });
  await applyMembers(kube, planOf(one, ['a', 'b']), { signal });
  const all = { users: ['a', 'admin-1', 'admin-2', 'b', 'c'], roles: ['role-of-1', 'role-of-2'] };
  assert.deepEqual(await granted(), all);
  await applyMembers(kube, planOf(one, ['b']), { signal });
  assert.deepEqual((await granted()).users, ['admin-1', 'admin-2', 'b', 'c']);
  await applyMembers(kube, planOf(two, []), { signal });
  assert.deepEqual(await granted(), { users: ['admin-1', 'admin-2', 'b'], roles: ['role-of-1'] });
});

test('what is from before there were marks is taken over where it is still granted, and removed where it is not', {
  skip,
}, async () => {
  const old = planOf('', ['b', 'gone'], 'role-of-1');
  for (const binding of old.bindings.filter(({ subjects }) => subjects[0]!.name === 'gone'))
    await kube.create(clusterRoleBindings, binding);
  const kept = planOf(one, ['b']).bindings.find(({ subjects }) => subjects[0]!.name === 'b')!;
  await kube.patch(
    clusterRoleBindings,
    kept.metadata.name,
    { metadata: { labels: { 'drover.io/install': null } } },
    { type: 'merge' },
  );
  await applyMembers(kube, planOf(one, ['b']), { signal });
  assert.deepEqual((await granted()).users, ['admin-1', 'admin-2', 'b']);
  const taken = await kube.get<Resource>(clusterRoleBindings, kept.metadata.name);
  assert.equal(taken.metadata.labels?.['drover.io/install'], one);
});

test('an install that leaves by itself takes its own along, its rights last, and nothing of the other', {
  skip,
}, async () => {
  await applyManifest(kube, controllerRights(two), { fieldManager: 'drover', signal });
  await applyMembers(kube, planOf(one, ['a']), { signal });
  await applyMembers(kube, planOf(two, ['c']), { signal });
  // With no other rights than those that go last.
  await removeOurs(kube.as({ user: controllerUser }), two, signal);
  assert.deepEqual(await granted(), { users: ['a', 'admin-1'], roles: ['role-of-1'] });
  await assert.rejects(kube.get(clusterRoleBindings, 'drover-controllers-22222222'), /not found/);
});

test('the agent’s namespace goes with the install that made it, and with no other', { skip }, async () => {
  const parts = {
    serverUrl: 'https://drover.example.com',
    token: 't'.repeat(54),
    caChecksum: '',
    agentImage: 'drover/agent:v1',
    serverKey: '',
    serverVersion: 'v1',
  };
  await applyManifest(kube, controllerRights(two), { fieldManager: 'drover', signal });
  await applyManifest(kube, importManifest({ ...parts, installUuid: one }), { fieldManager: 'drover', signal });
  await applyMembers(kube, planOf(two, ['c']), { signal });
  await removeOurs(kube, two, signal);
  assert.equal((await kube.get<Resource>(namespaces, 'cattle-system')).metadata.deletionTimestamp, undefined);
  assert.ok((await granted()).users.includes('a'));
  await kube.get(clusterRoleBindings, 'drover-controllers-11111111');
  await applyMembers(kube, planOf(two, ['c']), { signal });
  await removeOurs(kube, one, signal);
  const namespace = await kube.get<Resource>(namespaces, 'cattle-system');
  assert.ok(namespace.metadata.deletionTimestamp);
  // Nothing collects garbage here: what belongs to the namespace is what would go with it.
  const owners = new Map<string, string | undefined>();
  for await (const { metadata } of kube.listAll<Resource>(clusterRoleBindings, { signal }))
    if (/^(crb|globaladmin|drover|cattle)-/.test(metadata.name))
      owners.set(metadata.name, metadata.ownerReferences?.[0]?.uid);
  assert.equal(owners.get('globaladmin-admin-1'), namespace.metadata.uid);
  assert.equal(owners.get('drover-controllers-11111111'), namespace.metadata.uid);
  assert.equal(owners.get('globaladmin-admin-2'), undefined);
});
