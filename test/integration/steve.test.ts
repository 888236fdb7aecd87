/**
 * `/v1` of a cluster, whole: a real kube-apiserver behind a real agent and server. What clients of this API trip over is asked for one
 * by one: both names of a type, blocked and missing rights, pages, quoted filters, revisions, reserved fields.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Resource, until } from '@drover/base';
import { namespaces } from '@drover/kube';
import { missingApiServer } from './kube-apiserver.ts';
import { startSteve, type TestSteve } from './steve.ts';

const skip = missingApiServer() ?? false;
let steve: TestSteve;
let path: string;
const rbac = 'rbac.authorization.k8s.io/v1';

before(async () => {
  if (skip) return;
  steve = await startSteve();
  path = `/k8s/clusters/${steve.id}/v1`;
  const { kube } = steve;
  for (const name of ['shop', 'bank'])
    await kube.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const pod = (name: string, namespace: string, labels: Record<string, string>): Resource => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: { containers: [{ name: 'c', image: `registry.example/${name}:1` }] },
  });
  await steve.apply(
    pod('web-1', 'shop', { app: 'web', tier: 'a_b' }),
    pod('web-2', 'shop', { app: 'web', tier: 'axb' }),
    pod('vault', 'bank', { app: 'vault' }),
  );
});
after(async () => {
  await steve?.[Symbol.asyncDispose]();
});

const ask = (
  method: string,
  below: string,
  options: { body?: unknown; headers?: Record<string, string>; token?: string } = {},
) => steve.server.fetch(method, `${path}${below}`, { token: steve.owner.token, ...options });
const get = async (below: string) => {
  const { status, body } = await ask('GET', below);
  assert.equal(status, 200, `${below}: ${JSON.stringify(body)}`);
  return body;
};
const idsOf = async (query: string) => (await get(`/pods?${query}`)).data.map((one: { id: string }) => one.id);

test('a type answers to its id and its plural, in any case', { skip }, async () => {
  for (const name of ['pod', 'pods', 'Pods', 'POD']) assert.equal((await get(`/${name}`)).count, 3, name);
  const one = await get('/pods/shop/web-1');
  assert.deepEqual([one.id, one.type, one.kind], ['shop/web-1', 'pod', 'Pod']);
  assert.equal(one.links.self, `${steve.server.url}${path}/pods/shop/web-1`);
  assert.equal(one.links.view, `${steve.server.url}/k8s/clusters/${steve.id}/api/v1/namespaces/shop/pods/web-1`);
  assert.deepEqual(one.metadata.state, { name: 'pending', error: false, transitioning: true, message: '' });
  assert.deepEqual(
    (await get('/pods/bank')).data.map((each: { id: string }) => each.id),
    ['bank/vault'],
  );
});

test('a type that is not there is a 404 without a body; one without sign-in a 401 that says so', { skip }, async () => {
  const none = await ask('GET', '/example.com.nothings');
  assert.deepEqual([none.status, none.body], [404, '']);
  const anonymous = await ask('GET', '/pods', { token: '' });
  assert.deepEqual([anonymous.status, anonymous.headers['x-api-cattle-auth']], [401, 'false']);
  const signedIn = await ask('GET', '/pods/');
  assert.equal(signedIn.headers['x-api-cattle-auth'], 'true');
  assert.equal(signedIn.headers['x-api-schemas'], `${steve.server.url}${path}/schemas`);
  assert.equal(signedIn.headers['content-type'], 'application/json');
});

test('pages are cut from a stable order, and the count is of all', { skip }, async () => {
  const first = await get('/pods?page=1&pagesize=1&sort=metadata.labels.none');
  assert.deepEqual([first.count, first.continue, first.pagination.partial, first.data.length], [3, '1', true, 1]);
  const ids = [];
  for (const page of [1, 2, 3, 4]) ids.push(...(await idsOf(`pagesize=1&page=${page}&sort=metadata.labels.none`)));
  assert.deepEqual(ids, ['bank/vault', 'shop/web-1', 'shop/web-2']);
  assert.deepEqual(await idsOf('sort=-metadata.name'), ['shop/web-2', 'shop/web-1', 'bank/vault']);
  const { links, createTypes } = await get('/pods?pagesize=1');
  assert.equal(links.self, `${steve.server.url}${path}/pods`);
  assert.deepEqual(createTypes, { pod: `${steve.server.url}${path}/pods` });
});

test('filters mean what they say, marks of LIKE and empty values included', { skip }, async () => {
  const cases: [string, string[]][] = [
    ['filter=metadata.name~web', ['shop/web-1', 'shop/web-2']],
    ['filter=metadata.labels.tier~a_b', ['shop/web-1']],
    ['filter=metadata.labels[app]=vault', ['bank/vault']],
    ['filter=metadata.labels.tier!=axb', ['bank/vault', 'shop/web-1']],
    ['filter=!metadata.labels.tier', ['bank/vault']],
    ['filter=metadata.name=vault,metadata.name=web-1', ['bank/vault', 'shop/web-1']],
    ['filter=metadata.name~web&filter=metadata.labels.tier=axb', ['shop/web-2']],
    ['filter=id IN (shop/web-2, bank/vault)', ['bank/vault', 'shop/web-2']],
    ['filter=spec.nodeName=""&filter=metadata.namespace!="bank"', ['shop/web-1', 'shop/web-2']],
    [`filter=spec.containers.image="registry.example/vault:1"`, ['bank/vault']],
    ['projectsornamespaces=bank', ['bank/vault']],
    ['projectsornamespaces!=bank', ['shop/web-1', 'shop/web-2']],
    ['filter=metadata.fields[0]=vault', ['bank/vault']],
  ];
  for (const [query, wanted] of cases) assert.deepEqual(await idsOf(query), wanted, query);
  const refused = await ask('GET', '/pods?filter=a%20b%20c');
  assert.deepEqual([refused.status, refused.body.code, refused.body.fieldName], [422, 'InvalidFormat', 'filter']);
});

test('a summary counts what the filters leave', { skip }, async () => {
  const { data, count, summary } = await get('/pods?summary=metadata.labels.app&summaryonly=&summarynamespaced=true');
  assert.deepEqual([data, count], [[], 3]);
  const counts = { vault: { total: 1, namespace: { bank: 1 } }, web: { total: 2, namespace: { shop: 2 } } };
  assert.deepEqual(summary, [{ property: 'metadata.labels.app', counts }]);
});

test('a revision that is not reached is refused by its code, and a list’s own is', { skip }, async () => {
  const { revision } = await get('/pods?pagesize=1');
  assert.match(revision, /^\d+$/);
  assert.equal((await ask('GET', `/pods?revision=${revision}`)).status, 200);
  const early = await ask('GET', '/pods?revision=999999999');
  assert.deepEqual([early.status, early.body.code], [400, 'unknown revision']);
  const bad = await ask('GET', '/pods?revision=x');
  assert.deepEqual([bad.status, bad.body.code], [400, 'invalid revision query param']);
});

test('a long list that nobody has looked at shows its first rows before all are read, if that will do', {
  skip,
}, async () => {
  // One page of the cluster's, and a bit.
  const names = Array.from({ length: 520 }, (_, index) => `long-${String(index).padStart(4, '0')}`);
  const settings = names.map(name => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' } }));
  await steve.apply(...settings);
  const asked = '/configmaps/shop?filter=metadata.name~long&sort=metadata.name&pagesize=10&page=1&early=true';
  const counts: number[] = [];
  const whole = await until('all of it', async () => {
    const { data, count, reading, revision } = await get(asked);
    assert.equal(data.length, 10);
    assert.equal(revision === undefined, reading !== undefined);
    counts.push(count);
    return reading === undefined ? { data, count } : undefined;
  });
  assert.deepEqual(
    whole.data.map(({ id }: { id: string }) => id),
    names.slice(0, 10).map(name => `shop/${name}`),
  );
  assert.equal(whole.count, names.length);
  assert.deepEqual(
    [...counts].sort((a, b) => a - b),
    counts,
  );
});

test('a secret’s own type makes the round trip, and its body comes from the cluster alone', { skip }, async () => {
  const body = {
    type: 'secret',
    _type: 'example.com/key',
    metadata: { name: 'key', namespace: 'shop' },
    stringData: { k: 'canary-1' },
  };
  const made = await ask('POST', '/secrets', { body });
  assert.deepEqual([made.status, made.body._type, made.body.type], [201, 'example.com/key', 'secret']);
  const { data } = await get('/secrets/shop?filter=_type="example.com/key"');
  assert.deepEqual([data.length, data[0].data.k], [1, Buffer.from('canary-1').toString('base64')]);
  const { data: bare } = await get('/secrets/shop?include=metadata.name&include=metadata.fields');
  assert.deepEqual(
    [bare[0].metadata.name, bare[0].metadata.fields[1], bare[0].data],
    ['key', 'example.com/key', undefined],
  );
  const changed = await ask('PUT', '/secrets/shop/key', {
    body: { ...data[0], data: { k: Buffer.from('2').toString('base64') } },
  });
  assert.deepEqual([changed.status, changed.body._type], [200, 'example.com/key']);
  const blank = await get('/secrets/shop/key?excludeValues=data&exclude=metadata.managedFields');
  assert.deepEqual([blank.data, blank.metadata.managedFields], [{ k: '' }, undefined]);
  assert.equal((await ask('DELETE', '/secrets/shop/key')).status, 204);
});

test('writes go to the cluster, which refuses them in its own words', { skip }, async () => {
  const made = await ask('POST', '/configmaps/shop', { body: { type: 'configmap', data: { a: '1' } } });
  assert.match(made.body.metadata.name, /^cm-/);
  const id = made.body.id as string;
  const { metadata } = made.body;
  const without = await ask('PUT', `/configmaps/${id}`, {
    body: { ...made.body, metadata: { ...metadata, resourceVersion: '' } },
  });
  assert.deepEqual([without.status, without.body.fieldName], [422, 'metadata.resourceVersion']);
  const stale = await ask('PUT', `/configmaps/${id}`, {
    body: { ...made.body, metadata: { ...metadata, resourceVersion: '1' } },
  });
  assert.deepEqual([stale.status, stale.body.code], [409, 'Conflict']);
  const dry = await ask('PUT', `/configmaps/${id}?dryRun=All`, { body: { ...made.body, data: { a: '2' } } });
  assert.deepEqual([dry.status, dry.body.data], [200, { a: '2' }]);
  assert.deepEqual((await get(`/configmaps/${id}`)).data, { a: '1' });
  const headers = { 'content-type': 'application/merge-patch+json' };
  const patched = await ask('PATCH', `/configmaps/${id}`, { body: { data: { b: '3' } }, headers });
  assert.deepEqual(patched.body.data, { a: '1', b: '3' });
  const again = await ask('POST', '/configmaps/shop', { body: { metadata: { name: id.split('/')[1] } } });
  assert.deepEqual([again.status, again.body.code], [409, 'AlreadyExists']);
  const homeless = await ask('POST', '/configmaps', { body: {} });
  assert.deepEqual([homeless.status, homeless.body.fieldName], [422, 'metadata.namespace']);
  await until('the list to show it', async () => (await get('/configmaps?filter=data.b=3')).count === 1, {
    timeoutMs: 30_000,
  });
  assert.equal((await ask('DELETE', `/configmaps/${id}`)).status, 204);
  await until(
    'the list not to show it',
    async () => (await get('/configmaps/shop')).data.every((one: { id: string }) => one.id !== id),
    {
      timeoutMs: 30_000,
    },
  );
});

test('schemas are of who asks, with printer columns', { skip }, async () => {
  const { data } = await get('/schemas');
  const pod = data.find((one: { id: string }) => one.id === 'pod');
  assert.deepEqual([...pod.resourceMethods].sort(), ['DELETE', 'GET', 'PATCH', 'PUT']);
  assert.deepEqual(pod.attributes.columns[2].field, '$.metadata.fields[2]');
  const review = data.find((one: { id: string }) => one.id === 'authorization.k8s.io.selfsubjectaccessreview');
  assert.deepEqual([review.collectionMethods, review.resourceMethods], [['POST'], undefined]);
  assert.equal((await ask('GET', '/schemas/apps.deployment')).body.pluralName, 'apps.deployments');
  assert.equal((await ask('GET', '/schemas/none')).status, 404);
  const theirs = (await steve.get(steve.member, '/schemas')).body.data.map((one: { id: string }) => one.id);
  assert.ok(!theirs.includes('secret'));
  const root = await get('');
  assert.equal(root.data[0].links.pods, `${steve.server.url}${path}/pods`);
});

test('a member is shown what the cluster lets him see, with the links that are his', { skip }, async () => {
  const metadata = { name: 'reads-one' };
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'], resourceNames: ['web-1'] }];
  assert.equal((await steve.get(steve.member, '/pods')).status, 403);
  await steve.apply(
    { apiVersion: rbac, kind: 'Role', metadata: { ...metadata, namespace: 'shop' }, rules } as Resource,
    {
      apiVersion: rbac,
      kind: 'RoleBinding',
      metadata: { ...metadata, namespace: 'shop' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reads-one' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: steve.member.id }],
    } as Resource,
  );
  const seen = await until(
    'his right',
    async () => {
      const { status, body } = await steve.get(steve.member, '/pods');
      return status === 200 && body.count === 1 ? body : undefined;
    },
    { timeoutMs: 30_000 },
  );
  assert.deepEqual(Object.keys(seen.data[0].links), ['self', 'view']);
  assert.equal(seen.createTypes, undefined);
  assert.equal((await steve.get(steve.member, '/pods/shop/web-2')).status, 403);
  const refused = await ask('DELETE', '/pods/shop/web-1', { token: steve.member.token });
  assert.deepEqual([refused.status, refused.body.code], [403, 'PermissionDenied']);
});

test('to a stranger the cluster is closed, and without a Mozilla’s token nothing is changed', { skip }, async () => {
  assert.equal((await steve.get(steve.stranger, '/pods')).status, 403);
  assert.equal(
    (await steve.server.fetch('GET', '/k8s/clusters/c-none/v1/pods', { token: steve.stranger.token })).status,
    403,
  );
  const headers = { 'user-agent': 'Mozilla/5.0', cookie: `R_SESS=${steve.owner.token}` };
  const forged = await ask('DELETE', '/pods/shop/web-1', { token: '', headers });
  assert.deepEqual([forged.status, forged.body.code], [422, 'InvalidCSRFToken']);
});

test('the same in YAML and line by line', { skip }, async () => {
  const yaml = await ask('GET', '/pods/shop/web-1', { headers: { accept: 'application/yaml' } });
  assert.match(yaml.body, /^id: shop\/web-1\ntype: pod\n/);
  const lines = (await ask('GET', '/pods?_format=jsonl&sort=id')).body.split('\n');
  assert.deepEqual([JSON.parse(lines[0]).count, JSON.parse(lines[1]).id, lines.at(-1)], [3, 'bank/vault', '']);
});
