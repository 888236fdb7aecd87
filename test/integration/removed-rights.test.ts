/**
 * What was taken away from somebody is out of his reach at once and for good: until the cluster has confirmed that it is gone there, the
 * server lets him not even in, whether the cluster is away, the server begins anew, or another replica is asked.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Secret, until } from '@drover/base';
import { nodes, pods, type ResourceRef } from '@drover/kube';
import { type Hub, startHub } from './hub.ts';
import { type ImportedCluster, importCluster, missingImportable } from './imported-cluster.ts';

const skip = missingImportable() ?? false;
let hub: Hub;
let cluster: ImportedCluster;
let mia: { readonly id: string; readonly bearer: Secret };
let tom: typeof mia;

before(async () => {
  if (skip) return;
  hub = await startHub();
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
  await hub.resources.modify('roleTemplate', metadata, role => ({ ...role, rules: rules(['get']) }));
  assert.equal(await tries(hub, tom, pods), 'allowed');
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
