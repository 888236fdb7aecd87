/**
 * What was taken away from somebody is out of his reach at once and for good: until the cluster has confirmed that it is gone there, the
 * server lets him not even in, whether the cluster is away, the server begins anew, or another replica is asked.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ignoreNotFound, type Resource, type Secret, until } from '@drover/base';
import {
  clusterRoleBindings,
  clusterRoles,
  namespaces,
  nodes,
  pods,
  type ResourceRef,
  roleBindings,
} from '@drover/kube';
import { type Hub, startHub } from './hub.ts';
import { type ImportedCluster, importCluster, missingImportable, namespace } from './imported-cluster.ts';

const skip = missingImportable() ?? false;
let hub: Hub;
let cluster: ImportedCluster;
let mia: { readonly id: string; readonly bearer: Secret };
let tom: typeof mia;

before(async () => {
  if (skip) return;
  hub = await startHub({ repairEveryMs: 500 });
  [mia, tom] = [await hub.makeUser('mia'), await hub.makeUser('tom')];
  cluster = await importCluster(hub, 'demo');
  for (const { id } of [mia, tom]) await hub.grant(cluster.id, id, 'pods-view');
});
after(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await hub?.[Symbol.asyncDispose]();
});

/** What the door says: allowed, refused by the cluster, held back by the server, or away. */
async function tries(at: Hub, who: typeof mia, ref: ResourceRef): Promise<string> {
  const client = at.client(cluster.id, who.bearer);
  try {
    await client.list(ref, { limit: 1 });
    return 'allowed';
  } catch (error) {
    const { status, message } = error as { status?: number; message: string };
    if (status === 503) return 'away';
    if (status !== 403) throw error;
    return /has not confirmed/.test(message) ? 'held back' : 'refused there';
  } finally {
    await client[Symbol.asyncDispose]();
  }
}

const becomes = (what: string, at: Hub, who: typeof mia, ref: ResourceRef) =>
  until(`${what} for ${ref.resource}`, async () => (await tries(at, who, ref)) === what, { timeoutMs: 60_000 });

async function own(name: string): Promise<void> {
  await hub.resources.create('clusterRoleTemplateBinding', {
    metadata: { name, namespace: cluster.id },
    clusterName: cluster.id,
    roleTemplateName: 'cluster-owner',
    userName: mia.id,
  });
}
const disown = (name: string) => hub.resources.delete('clusterRoleTemplateBinding', { name, namespace: cluster.id });
const notes = async () => (await hub.store.list('/rights/removals/')).entries.length;

test('from the moment in which it is taken a right is used no more, and what is left works once the cluster has confirmed', {
  skip,
}, async () => {
  await own('owner-1');
  await becomes('allowed', hub, mia, nodes);
  await disown('owner-1');
  const seen = new Set<string>();
  await until(
    'the cluster to have confirmed',
    async () => {
      seen.add(await tries(hub, mia, nodes));
      return (await notes()) === 0;
    },
    { timeoutMs: 60_000, everyMs: 1 },
  );
  for (let i = 0; i < 10; i++) seen.add(await tries(hub, mia, nodes));
  assert.ok(!seen.has('allowed'), [...seen].join());
  assert.ok(seen.has('refused there'), [...seen].join());
  assert.equal(await tries(hub, mia, pods), 'allowed');
});

test('it is so while the cluster is away, on every replica and after a restart; and what is given again lifts it', {
  skip,
}, async () => {
  await own('owner-2');
  await becomes('allowed', hub, mia, nodes);
  await cluster.stopAgent();
  await disown('owner-2');
  await until('the cluster to be away', async () => (await tries(hub, tom, pods)) === 'away');
  assert.equal(await tries(hub, mia, pods), 'held back');
  {
    // One that has just begun has nothing but the store.
    await using replica = await startHub({ beside: hub });
    assert.equal(await tries(replica, mia, pods), 'held back');
    assert.equal(await tries(replica, tom, pods), 'away');
    await own('owner-3');
    await becomes('away', replica, mia, pods);
    await disown('owner-3');
    await becomes('held back', replica, mia, pods);
  }
  await cluster.startAgent();
  const seen = new Set<string>();
  await until(
    'the cluster to have confirmed',
    async () => {
      seen.add(await tries(hub, mia, nodes));
      return (await notes()) === 0;
    },
    { timeoutMs: 60_000, everyMs: 1 },
  );
  await becomes('allowed', hub, mia, pods);
  assert.equal(await tries(hub, mia, nodes), 'refused there');
  assert.ok(!seen.has('allowed'), [...seen].join());
});

test('a role that gives less is used no more for what it gave, and nobody is kept out by what is nobody’s', {
  skip,
}, async () => {
  const rules = (verbs: string[]) => [{ apiGroups: [''], resources: ['nodes'], verbs }];
  const metadata = { name: 'nodes-look' };
  await hub.resources.create('roleTemplate', {
    metadata,
    displayName: 'x',
    context: 'cluster',
    rules: rules(['get', 'list']),
  });
  await hub.grant(cluster.id, mia.id, 'nodes-look');
  await becomes('allowed', hub, mia, nodes);
  await cluster.stopAgent();
  await hub.resources.modify('roleTemplate', metadata, role => ({ ...role, rules: rules(['get']) }));
  await until('the cluster to be away', async () => (await tries(hub, tom, pods)) === 'away');
  assert.equal(await tries(hub, mia, nodes), 'held back');
  await cluster.startAgent();
  const seen = new Set<string>();
  await until(
    'the cluster to have confirmed',
    async () => {
      seen.add(await tries(hub, mia, nodes));
      return (await notes()) === 0;
    },
    { timeoutMs: 60_000, everyMs: 1 },
  );
  seen.add(await tries(hub, mia, nodes));
  assert.ok(!seen.has('allowed'), [...seen].join());
  const before = await notes();
  await hub.resources.modify('roleTemplate', metadata, role => ({ ...role, rules: rules(['get', 'watch']) }));
  assert.equal(await notes(), before, 'what gives more takes nothing away');
});

type Rbac = Resource & Readonly<Record<'rules' | 'subjects' | 'roleRef', unknown>>;
const what = ({ rules, subjects, roleRef, metadata: { labels } }: Rbac) => ({ rules, subjects, roleRef, labels });
const marks = { 'app.kubernetes.io/managed-by': 'drover', 'cattle.io/creator': 'norman' };
const rbac = 'rbac.authorization.k8s.io';

/** What the cluster holds of one kind for somebody, or under a name. */
async function find(ref: ResourceRef, wanted: (one: Rbac) => boolean): Promise<Rbac> {
  for await (const one of cluster.kube.listAll<Rbac>(ref)) if (wanted(one)) return one;
  throw new Error(`no such ${ref.resource}`);
}
const names = (userId: string) => (one: Rbac) => JSON.stringify(one.subjects ?? '').includes(`"${userId}"`);

test('whatever somebody edits or deletes of it in the cluster is put right, and what nobody gave goes', {
  skip,
}, async () => {
  const una = await hub.makeUser('una');
  await hub.resources.create('project', {
    metadata: { name: 'p-shop', namespace: cluster.id },
    spec: { clusterName: cluster.id, displayName: 'shop' },
  });
  await cluster.kube.create(namespaces, namespace('shop', `${cluster.id}:p-shop`));
  await hub.grant(cluster.id, una.id, 'nodes-look');
  await hub.resources.create('projectRoleTemplateBinding', {
    metadata: { name: 'prtb-una', namespace: 'p-shop' },
    projectName: `${cluster.id}:p-shop`,
    roleTemplateName: 'pods-view',
    userName: una.id,
  });
  const wide = await until('the grant in the cluster', () =>
    find(clusterRoleBindings, one => names(una.id)(one) && /nodes-look/.test(JSON.stringify(one.roleRef))).catch(
      () => undefined,
    ),
  );
  const narrow = await until('the grant in the project', () =>
    find(roleBindings, names(una.id)).catch(() => undefined),
  );
  const role = await find(clusterRoles, ({ metadata }) => metadata.name === 'nodes-look');
  const { kube } = cluster;
  const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
  const somebody = [{ apiGroup: rbac, kind: 'User', name: 'somebody' }];
  const edits: [string, ResourceRef, Rbac, object | undefined][] = [
    ['a role that says more', clusterRoles, role, { rules: everything }],
    ['a role that says nothing', clusterRoles, role, { rules: [] }],
    ['a role that is gone', clusterRoles, role, undefined],
    ['a binding in the cluster for somebody else', clusterRoleBindings, wide, { subjects: somebody }],
    ['a binding in the cluster that is gone', clusterRoleBindings, wide, undefined],
    ['a binding in a namespace for nobody', roleBindings, narrow, { subjects: null }],
    ['a binding in a namespace that is gone', roleBindings, narrow, undefined],
    ['a binding without its marks', roleBindings, narrow, { metadata: { labels: null } }],
  ];
  for (const [edit, ref, { metadata, ...before }, change] of edits) {
    const place = { namespace: metadata.namespace };
    if (change) await kube.patch(ref, metadata.name, change, { ...place, type: 'merge' });
    else await kube.delete(ref, metadata.name, place);
    await until(
      `${edit} to be put right`,
      async () => {
        const now = await ignoreNotFound(kube.get<Rbac>(ref, metadata.name, place));
        return now && JSON.stringify(what(now)) === JSON.stringify(what({ ...before, metadata } as Rbac));
      },
      { timeoutMs: 20_000 },
    );
  }
  const orphan = (name: string, labels: Record<string, string>) => ({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: rbac, kind: 'User', name: una.id }],
  });
  await kube.create(clusterRoleBindings, orphan('crb-left', marks));
  await kube.create(clusterRoleBindings, orphan('crb-theirs', {}));
  const there = async (name: string) => (await ignoreNotFound(kube.get(clusterRoleBindings, name))) !== undefined;
  await until('what nobody gave to be gone', async () => !(await there('crb-left')), { timeoutMs: 20_000 });
  assert.ok(await there('crb-theirs'), 'what somebody else made stays');
  await kube.delete(clusterRoleBindings, 'crb-theirs');
});

test('an agent that was away finds grants that changed meanwhile, there and here', { skip }, async () => {
  const una = await hub.makeUser('una-2');
  const may = (userId: string, verb: string) =>
    cluster.allows({ user: userId }, { resourceAttributes: { verb, resource: 'nodes' } });
  await hub.grant(cluster.id, una.id, 'nodes-look');
  await own('owner-4');
  const becomesThere = (userId: string, verb: string, allowed: boolean) =>
    until(`${verb} of ${userId} to be ${allowed}`, async () => (await may(userId, verb)) === allowed, {
      timeoutMs: 60_000,
    });
  await becomesThere(una.id, 'get', true);
  await becomesThere(mia.id, 'delete', true);
  await cluster.stopAgent();
  await disown('owner-4');
  await hub.grant(cluster.id, tom.id, 'nodes-look');
  const his = await find(clusterRoleBindings, names(una.id));
  await cluster.kube.delete(clusterRoleBindings, his.metadata.name);
  await cluster.startAgent();
  await becomesThere(tom.id, 'get', true);
  await becomesThere(mia.id, 'delete', false);
  await becomesThere(una.id, 'get', true);
});
