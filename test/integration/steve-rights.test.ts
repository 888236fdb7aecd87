/**
 * What a list of `/v1` shows is what the cluster itself shows that person, in all namespaces, in one, and by name: held against a real
 * kube-apiserver with bindings that nobody thought up.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hasReason, type Resource, until } from '@drover/base';
import {
  clusterRoleBindings,
  clusterRoles,
  configMaps,
  KubeClient,
  namespaces,
  type ResourceRef,
  roleBindings,
  roles,
} from '@drover/kube';
import fc from 'fast-check';
import { openTestRealms, type TestRealms } from '../../packages/server/src/steve/fixture.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;
let cluster: TestApiServer;
let kube: KubeClient;
let realms: TestRealms;
let dir: string;

const places = ['red', 'green', 'blue'];
const names = ['a', 'b', 'c'];
const people = [
  { user: 'ann', groups: ['devs'] },
  { user: 'bob', groups: ['devs', 'ops'] },
  { user: 'system:serviceaccount:red:robot', groups: ['system:serviceaccounts', 'system:serviceaccounts:red'] },
];

before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  kube = new KubeClient(cluster.connection);
  dir = await mkdtemp(join(tmpdir(), 'drover-lists-'));
  realms = openTestRealms(cluster.connection, dir);
  for (const place of places) {
    await kube.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: place } });
    for (const name of names)
      await kube.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: place } });
  }
});
after(async () => {
  await realms?.[Symbol.asyncDispose]();
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
  if (dir) await rm(dir, { recursive: true, force: true });
});

/** Whether the cluster answers this person. */
async function may(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (hasReason(error, 'Forbidden')) return false;
    throw error;
  }
}

/** What the cluster itself shows: a whole list, the lists of namespaces, and what may be got or listed by its name. */
async function shownByCluster(user: string, groups: readonly string[]): Promise<string[]> {
  await using as = kube.impersonating({ user, groups: [...groups, 'system:authenticated'] });
  const ids: string[] = [];
  const everywhere = await may(as.list(configMaps));
  for (const namespace of places) {
    const whole = everywhere || (await may(as.list(configMaps, { namespace })));
    for (const name of names) {
      const named =
        whole ||
        (await may(as.get(configMaps, name, { namespace }))) ||
        (await may(as.list(configMaps, { namespace, fieldSelector: `metadata.name=${name}` })));
      if (named) ids.push(`${namespace}/${name}`);
    }
  }
  return ids.sort();
}

/** The server's own namespaces hold some too. */
const ofPlaces = (ids: readonly string[]) => ids.filter(id => places.includes(id.split('/')[0]!));

const subject = fc.oneof(
  fc.constantFrom('ann', 'bob').map(name => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name })),
  fc
    .constantFrom('devs', 'ops', 'system:serviceaccounts:red')
    .map(name => ({ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name })),
  fc.constant({ kind: 'ServiceAccount', namespace: 'red', name: 'robot' }),
);
const apiGroups = fc.constantFrom([''], ['*'], ['apps'], ['', 'apps']);
const resources = fc.constantFrom(['configmaps'], ['*'], ['pods', 'configmaps'], ['secrets'], ['configmaps/status']);
const rule = fc.oneof(
  fc.record({ apiGroups, resources, verbs: fc.constantFrom(['list'], ['get', 'list'], ['*'], ['create'], ['watch']) }),
  fc.record({
    apiGroups,
    resources,
    verbs: fc.constantFrom(['get'], ['list'], ['get', 'list', 'update'], ['delete']),
    resourceNames: fc.subarray(names, { minLength: 1 }),
  }),
);
const grant = fc.record({
  rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
  subjects: fc.array(subject, { minLength: 1, maxLength: 2 }),
  /** Where it is bound, and whether the role is of that namespace too. */
  place: fc.constantFrom(undefined, ...places),
  own: fc.boolean(),
});

test('a list shows what the cluster shows that person, whatever he is bound to', { skip }, async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(grant, { maxLength: 4 }), async grants => {
      const made: [ResourceRef, Resource][] = [];
      for (const { rules, subjects, place, own } of grants) {
        const name = `random-${round++}`;
        const kind = place !== undefined && own ? 'Role' : 'ClusterRole';
        const metadata = place !== undefined && own ? { name, namespace: place } : { name };
        const apiVersion = 'rbac.authorization.k8s.io/v1';
        made.push([kind === 'Role' ? roles : clusterRoles, { apiVersion, kind, metadata, rules } as Resource]);
        const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name };
        made.push(
          place === undefined
            ? [
                clusterRoleBindings,
                { apiVersion, kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects } as Resource,
              ]
            : [
                roleBindings,
                {
                  apiVersion,
                  kind: 'RoleBinding',
                  metadata: { name, namespace: place },
                  roleRef,
                  subjects,
                } as Resource,
              ],
        );
      }
      for (const [ref, resource] of made) await kube.create(ref, resource);
      try {
        for (const { user, groups } of people) {
          let seen: unknown;
          await until(
            'the list to show what the cluster shows',
            async () => {
              const [theirs, ours] = [
                await shownByCluster(user, groups),
                ofPlaces(await realms.ids(user, groups, { type: 'configmaps' })),
              ];
              seen = { user, theirs, ours };
              return JSON.stringify(theirs) === JSON.stringify(ours);
            },
            { timeoutMs: 30_000, everyMs: 100 },
          ).catch(error => {
            throw new Error(`${error.message}: ${JSON.stringify(seen)}`);
          });
        }
      } finally {
        for (const [ref, { metadata }] of made)
          await kube.delete(ref, metadata.name, { namespace: metadata.namespace });
      }
    }),
    {
      numRuns: Number(process.env['DROVER_FUZZ_RUNS'] ?? 12),
      interruptAfterTimeLimit: 60_000,
      markInterruptAsFailure: false,
    },
  );
});

test('nobody is shown what he was shown before his binding was taken back', { skip }, async () => {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }];
  await kube.create(clusterRoles, { apiVersion, kind: 'ClusterRole', metadata: { name: 'lists' }, rules } as Resource);
  await kube.create(roleBindings, {
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name: 'lists', namespace: 'green' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'lists' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'carl' }],
  } as Resource);
  const ids = () => realms.ids('carl', [], { type: 'configmap' });
  await until('his rights', async () => (await ids().catch(() => [])).length === 3, { timeoutMs: 30_000 });
  assert.deepEqual(await ids(), ['green/a', 'green/b', 'green/c']);
  await kube.delete(roleBindings, 'lists', { namespace: 'green' });
  await until('his rights to be gone', async () => (await ids().catch(() => [])).length === 0, { timeoutMs: 30_000 });
});
