/** Grants in a real cluster, where something stands in their way: what is taken away goes all the same, and nothing else with it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Resource, until } from '@drover/base';
import {
  clusterRoleBindings,
  clusterRoles,
  KubeClient,
  namespaces,
  type ResourceRef,
  subjectAccessReviews,
} from '@drover/kube';
import { applyMembers, applyProjectMembers, planMembers, planProjectMembers } from '@drover/server';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;
let cluster: TestApiServer;
let kube: KubeClient;
const { signal } = new AbortController();
const installUuid = 'install-1';

before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  kube = new KubeClient(cluster.connection);
  const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  await kube.create(namespaces, shop);
});
after(async () => {
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const template = (name: string, rules: object[]) => ({
  apiVersion: 'management.cattle.io/v3',
  kind: 'RoleTemplate',
  metadata: { name },
  rules,
});
const pods = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
const templates = new Map(
  [
    template('reader', [pods]),
    // No cluster takes a role of that name.
    template('broken%', [pods]),
    template('taken', [pods]),
    template('both', [{ ...pods, nonResourceURLs: ['/metrics'] }]),
  ].map(one => [one.metadata.name, one]),
);
const find = (name: string) => templates.get(name) as never;

const inCluster = (...grants: [role: string, user: string][]) =>
  planMembers({
    installUuid,
    admins: [],
    template: find,
    given: grants.map(([roleTemplateName, name]) => ({
      subjects: [{ kind: 'User', name }],
      roleTemplateName,
      owner: `c-1_${roleTemplateName}-${name}`,
    })),
  });

const inProject = (...grants: [role: string, user: string][]) =>
  planProjectMembers({
    installUuid,
    template: find,
    namespacesOf: () => ['shop'],
    given: grants.map(([roleTemplateName, name]) => ({
      subjects: [{ kind: 'User', name }],
      projectId: 'c-1:p-1',
      roleTemplateName,
      owner: `p-1_${roleTemplateName}-${name}`,
    })),
  });

/** What the cluster itself says. */
async function may(user: string, what: object): Promise<boolean> {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: { name: '' },
    spec: { user, groups: ['system:authenticated'], ...what },
  };
  const answer = await kube.create(subjectAccessReviews as ResourceRef, review);
  return (answer as typeof answer & { status: { allowed: boolean } }).status.allowed;
}
const mayRead = (user: string) =>
  may(user, { resourceAttributes: { namespace: 'shop', verb: 'get', resource: 'pods' } });

/** An API server hears of its own roles a moment after they are written. */
const settles = (expected: Readonly<Record<string, boolean>>) =>
  until(
    `${JSON.stringify(expected)}`,
    async () => {
      for (const [user, allowed] of Object.entries(expected)) if ((await mayRead(user)) !== allowed) return false;
      return true;
    },
    { timeoutMs: 15_000 },
  );

test('a role that the cluster does not take keeps nobody else’s right alive', { skip }, async () => {
  await applyMembers(kube, inCluster(['reader', 'u-a'], ['reader', 'u-b']), { signal });
  await settles({ 'u-a': true, 'u-b': true });
  const broken = inCluster(['broken%', 'u-c'], ['reader', 'u-b']);
  await assert.rejects(applyMembers(kube, broken, { signal }), /broken/);
  await settles({ 'u-a': false, 'u-b': true });

  await applyProjectMembers(kube, inProject(['reader', 'u-d']), { signal, installUuid });
  await settles({ 'u-d': true });
  await assert.rejects(applyProjectMembers(kube, inProject(['broken%', 'u-c']), { signal, installUuid }), /broken/);
  await settles({ 'u-d': false });
});

test('a role that is given in a cluster and in its projects stays as long as either needs it', { skip }, async () => {
  const reader = new Set(['reader']);
  await applyMembers(kube, inCluster(['reader', 'u-wide']), { signal });
  await applyProjectMembers(kube, inProject(['reader', 'u-narrow']), { signal, installUuid, inCluster: reader });
  await applyMembers(kube, inCluster(), { signal, inProjects: reader });
  await settles({ 'u-wide': false, 'u-narrow': true });

  await applyMembers(kube, inCluster(['reader', 'u-wide']), { signal, inProjects: reader });
  await applyProjectMembers(kube, inProject(), { signal, installUuid, inCluster: reader });
  await settles({ 'u-wide': true, 'u-narrow': false });

  await applyMembers(kube, inCluster(), { signal });
  await settles({ 'u-wide': false });
});

test('a role that somebody else has there under that name is bound to nobody', { skip }, async () => {
  const secrets = { apiGroups: [''], resources: ['secrets', 'pods'], verbs: ['get'] };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  await kube.create(clusterRoles, {
    apiVersion,
    kind: 'ClusterRole',
    metadata: { name: 'taken' },
    rules: [secrets],
  } as Resource);
  await assert.rejects(applyMembers(kube, inCluster(['taken', 'u-x'], ['reader', 'u-y']), { signal }), /taken/);
  await settles({ 'u-x': false, 'u-y': true });
  await assert.rejects(applyProjectMembers(kube, inProject(['taken', 'u-z']), { signal, installUuid }), /taken/);
  await settles({ 'u-z': false });
  await applyMembers(kube, inCluster(), { signal });
});

test('a binding whose marks somebody took off goes with its grant all the same', { skip }, async () => {
  const grant = inCluster(['reader', 'u-marked']);
  await applyMembers(kube, grant, { signal });
  await settles({ 'u-marked': true });
  const { metadata } = grant.bindings[0]!;
  for (const labels of [null, { 'app.kubernetes.io/managed-by': null }, { 'drover.io/install': null }]) {
    await kube.patch(clusterRoleBindings, metadata.name, { metadata: { labels } }, { type: 'merge' });
    await applyMembers(kube, grant, { signal });
    assert.deepEqual((await kube.get(clusterRoleBindings, metadata.name)).metadata.labels, metadata.labels);
  }
  await kube.patch(
    clusterRoleBindings,
    metadata.name,
    { metadata: { labels: { 'drover.io/install': 'other' } } },
    { type: 'merge' },
  );
  await applyMembers(kube, grant, { signal });
  const theirs = await kube.get(clusterRoleBindings, metadata.name);
  assert.equal(theirs.metadata.labels?.['drover.io/install'], 'other', 'what another install has marked is its own');
  await kube.patch(clusterRoleBindings, metadata.name, { metadata: { labels: null } }, { type: 'merge' });
  await applyMembers(kube, grant, { signal });
  await applyMembers(kube, inCluster(), { signal });
  await settles({ 'u-marked': false });
});

test('a rule about things and addresses holds for both', { skip }, async () => {
  await applyMembers(kube, inCluster(['both', 'u-both']), { signal });
  await settles({ 'u-both': true });
  const metrics = { nonResourceAttributes: { path: '/metrics', verb: 'get' } };
  await until('the address', () => may('u-both', metrics), { timeoutMs: 15_000 });
});
