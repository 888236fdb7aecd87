/**
 * Every stored type that can be made goes the whole way: made, read, listed, filtered, sorted, paged, changed, replaced, and
 * deleted, over the wire and against the real store.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { schemaFields } from '@drover/api';
import { openTestApi, type TestApi } from './fixture.ts';
import { servedTypes } from './registry.ts';

let api: TestApi;
let clusterId: string;
/** One that is made of hosts. */
let hostsId: string;
let projectId: string;
let userId: string;

before(async () => {
  api = await openTestApi();
  clusterId = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'home' } })).id;
  const made = { name: 'hosts', rancherKubernetesEngineConfig: {} };
  hostsId = (await api.want(201, 'POST', '/v3/clusters', { body: made })).id;
  projectId = (await api.want(201, 'POST', '/v3/projects', { body: { name: 'shop', clusterId } })).id;
  userId = (await api.makeUser('somebody')).id;
});
after(() => api[Symbol.asyncDispose]());

interface Sample {
  /** The nth of its kind, complete. */
  make(nth: number): Promise<object> | object;
  /** A change, or nothing where the type takes none. */
  readonly change?: object;
  /** What `_replace` without anything else leaves of the change. */
  readonly replaced?: object;
  /** A field by which the nth is told from the others. */
  readonly by: string;
  readonly value: (nth: number) => string;
  /** Its answer to a create has it, reading it back does not. */
  readonly onlyOnce?: string;
  /** Fields of which only a part is shown. */
  readonly partly?: readonly string[];
}

const user = async (nth: number, name = 'held') => (await api.makeUser(`${name}-${nth}`)).id;
const named = (nth: number) => `n-${nth}`;

const samples: Readonly<Record<string, Sample>> = {
  cloudCredential: {
    make: nth => ({ name: named(nth), linodecredentialConfig: { token: 'of a cloud' } }),
    change: { description: 'second' },
    by: 'name',
    value: named,
    partly: ['linodecredentialConfig'],
  },
  composeConfig: {
    make: nth => ({
      name: named(nth),
      rancherCompose: `version: v3\nroleTemplates:\n  composed-${nth}:\n    context: project`,
    }),
    by: 'name',
    value: named,
  },
  managementSecret: {
    make: nth => ({ name: named(nth), data: { key: 'dmFsdWU=' } }),
    change: { data: { other: 'dmFsdWU=' } },
    by: 'name',
    value: named,
  },
  dynamicSchema: {
    make: nth => ({ name: named(nth), resourceFields: { size: { type: 'int', create: true } } }),
    change: { pluralName: 'sizes' },
    replaced: { pluralName: undefined },
    by: 'name',
    value: named,
    partly: ['resourceFields'],
  },
  fleetWorkspace: {
    make: nth => ({ name: named(nth) }),
    by: 'name',
    value: named,
  },
  group: {
    make: nth => ({ name: named(nth), provider: 'github' }),
    change: { externalId: 'second' },
    by: 'name',
    value: named,
  },
  groupMember: {
    make: nth => ({ name: named(nth), principalId: 'github_user://1' }),
    change: { principalId: 'github_user://2' },
    replaced: { principalId: null },
    by: 'name',
    value: named,
  },
  rancherUserNotification: {
    make: nth => ({ name: named(nth), message: 'first', componentName: 'server' }),
    change: { message: 'second' },
    replaced: { message: undefined },
    by: 'name',
    value: named,
  },
  cluster: {
    make: nth => ({ name: named(nth), description: 'first' }),
    change: { description: 'second' },
    replaced: { description: undefined },
    by: 'name',
    value: named,
  },
  clusterRegistrationToken: {
    make: nth => ({ clusterId, labels: { nth: named(nth) } }),
    by: 'clusterId',
    value: () => clusterId,
  },
  etcdBackup: {
    make: nth => ({ clusterId: hostsId, labels: { nth: named(nth) } }),
    by: 'clusterId',
    value: () => hostsId,
  },
  clusterRoleTemplateBinding: {
    make: async nth => ({ clusterId, roleTemplateId: 'cluster-member', userId: await user(nth, 'crtb') }),
    by: 'roleTemplateId',
    value: () => 'cluster-member',
  },
  projectRoleTemplateBinding: {
    make: async nth => ({ projectId, roleTemplateId: 'project-member', userId: await user(nth, 'prtb') }),
    by: 'roleTemplateId',
    value: () => 'project-member',
  },
  globalRole: {
    make: nth => ({ name: named(nth), rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
    change: { description: 'second' },
    replaced: { description: undefined },
    by: 'name',
    value: named,
  },
  globalRoleBinding: {
    make: async nth => ({ globalRoleId: 'user', userId: await user(nth, 'grb') }),
    by: 'globalRoleId',
    value: () => 'user',
  },
  podSecurityAdmissionConfigurationTemplate: {
    make: nth => ({ name: named(nth), description: 'first', configuration: { defaults: { enforce: 'baseline' } } }),
    change: { description: 'second' },
    replaced: { description: undefined },
    by: 'name',
    value: named,
  },
  preference: {
    make: nth => ({ name: named(nth), value: 'first' }),
    change: { value: 'second' },
    by: 'name',
    value: named,
  },
  project: {
    make: nth => ({ name: named(nth), clusterId, description: 'first' }),
    change: { description: 'second' },
    replaced: { description: undefined },
    by: 'name',
    value: named,
  },
  roleTemplate: {
    make: nth => ({
      name: named(nth),
      context: 'project',
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    }),
    change: { description: 'second', locked: true },
    by: 'name',
    value: named,
  },
  token: {
    make: nth => ({ description: named(nth), ttl: 60_000 }),
    by: 'description',
    value: named,
    onlyOnce: 'token',
  },
  user: {
    make: nth => ({ username: named(nth), password: 'a password long enough', name: 'First' }),
    change: { name: 'Second' },
    by: 'username',
    value: named,
  },
};

const path = (url: string) => url.slice(api.url.length);
// biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
type Wire = any;
const ids = ({ data }: Wire): string[] => data.map((one: Wire) => one.id);

test('there is a sample of every type that can be made', t => {
  t.diagnostic(`${Object.keys(samples).length} types go the whole way`);
  const made = servedTypes.filter(
    ({ declaration, context }) => !context && declaration.v3.collectionMethods.includes('POST'),
  );
  assert.deepEqual(made.map(({ declaration }) => declaration.id).sort(), Object.keys(samples).sort());
});

for (const [id, sample] of Object.entries(samples)) {
  test(`${id} goes the whole way`, async () => {
    const { declaration } = servedTypes.find(type => type.declaration.id === id && !type.context)!;
    const fields = schemaFields(declaration);
    const schema = await api.want(200, 'GET', `/v3/schemas/${id}`);
    const collection = path(schema.links.collection);

    const all: Wire[] = [];
    for (const nth of [1, 2, 3]) {
      const body = await sample.make(nth);
      const made = await api.want(201, 'POST', collection, { body });
      assert.deepEqual([made.type, made.baseType], [id, id === 'managementSecret' ? 'secret' : id]);
      for (const [name, value] of Object.entries(body)) {
        const { type, writeOnly } = fields[name] ?? {};
        if (type !== 'password' && !writeOnly && name !== 'labels' && !sample.partly?.includes(name))
          assert.deepEqual(made[name], value, `${id}.${name}`);
      }
      all.push(made);
    }
    const [first] = all;
    if (sample.onlyOnce) assert.ok(first[sample.onlyOnce]);

    const read = await api.want(200, 'GET', path(first.links.self));
    assert.equal(read.id, first.id);
    if (sample.onlyOnce) assert.notEqual(read[sample.onlyOnce], first[sample.onlyOnce]);
    for (const name of Object.keys(read)) {
      const known = ['id', 'type', 'baseType', 'links', 'actions'].includes(name) || name.endsWith('TS');
      assert.ok(known || name in fields, `${id}.${name} is in no schema`);
    }
    const same = await api.want(200, 'GET', `${collection.toUpperCase().replace('/V3', '/v3')}/${first.id}`);
    assert.equal(same.id, first.id, 'type names are taken in any case');

    const list = await api.want(200, 'GET', collection);
    for (const one of all) assert.ok(ids(list).includes(one.id));
    const { by, value } = sample;
    const found = await api.want(200, 'GET', `${collection}?${by}=${encodeURIComponent(value(2))}`);
    assert.ok(ids(found).includes(all[1].id));
    assert.ok(found.data.every((one: Wire) => one[by] === value(2)));
    assert.deepEqual(found.filters[by], [{ modifier: 'eq', value: value(2) }]);
    const others = await api.want(200, 'GET', `${collection}?${by}_ne=${encodeURIComponent(value(2))}`);
    assert.ok(!ids(others).includes(all[1].id));

    const sorted = await api.want(200, 'GET', `${collection}?sort=${by}&order=desc`);
    const texts = sorted.data.map((one: Wire) => String(one[by] ?? ''));
    assert.deepEqual(texts, texts.toSorted().reverse());
    const walked: string[] = [];
    for (let next: string | undefined = `${collection}?limit=2&sort=id`; next; ) {
      const page: Wire = await api.want(200, 'GET', next);
      assert.ok(page.data.length <= 2 && page.pagination.total === list.data.length);
      walked.push(...ids(page));
      next = page.pagination.next && path(page.pagination.next);
    }
    assert.deepEqual(walked, ids(list).toSorted());

    if (sample.change) {
      const changed = await api.want(200, 'PUT', path(first.links.update), { body: sample.change });
      for (const [name, to] of Object.entries(sample.change)) assert.deepEqual(changed[name], to, `${id}.${name}`);
      if (sample.replaced) {
        const body = { name: first.name };
        const replaced = await api.want(200, 'PUT', `${path(first.links.update)}?_replace=true`, { body });
        for (const [name, to] of Object.entries(sample.replaced)) assert.deepEqual(replaced[name], to, `${id}.${name}`);
        assert.equal(replaced.name, first.name);
      }
    }
    const wrong = await api.ask('PUT', path(first.links.self), { body: [] });
    assert.deepEqual([wrong.status, wrong.body.code], [422, 'InvalidBodyContent']);
    const none = await api.ask('POST', `${path(first.links.self)}?action=nonsense`, { body: {} });
    assert.deepEqual([none.status, none.body.code], [422, 'InvalidAction']);
    const link = await api.ask('GET', `${path(first.links.self)}/nonsense`);
    assert.deepEqual([link.status, link.body.code], [404, 'NotFound']);
    const verb = await api.ask('PATCH', path(first.links.self), { body: {} });
    assert.deepEqual([verb.status, verb.body.code], [405, 'MethodNotAllow']);

    for (const one of all) {
      const { status } = await api.ask('DELETE', path(one.links.remove));
      assert.ok(status === 204 || status === 200, `${id} is deleted with ${status}`);
    }
    const gone = await api.ask('GET', path(first.links.self));
    assert.ok(gone.status === 404 || gone.body.removed, `${id} is still there`);
  });
}

test('an answer to DELETE is the resource where something still holds it', async () => {
  const made = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'held' } });
  await api.resources.modify('cluster', { name: made.id }, seen => ({
    ...seen,
    metadata: { ...seen.metadata, finalizers: ['example.com/held'] },
  }));
  const left = await api.want(200, 'DELETE', `/v3/clusters/${made.id}`);
  assert.deepEqual([left.id, left.state, left.transitioning], [made.id, 'removing', 'yes']);
  assert.match(left.transitioningMessage, /example\.com\/held/);
});

/** What everybody may keep for himself. */
const everybodys = ['cloudCredential', 'composeConfig', 'managementSecret'];

test('whoever is somebody may not make, change or delete what is not his', async () => {
  const { token } = await api.makeUser('outsider');
  for (const [id, sample] of Object.entries(samples)) {
    if (['token', 'preference', 'cluster', ...everybodys].includes(id)) continue;
    const plural = servedTypes.find(type => type.declaration.id === id)!.declaration.pluralName.toLowerCase();
    const body = await sample.make(9);
    const { status } = await api.ask('POST', `/v3/${plural}`, { as: token, body });
    assert.ok([403, 404, 422].includes(status), `${id} was made with ${status}`);
  }
  const { status } = await api.ask('DELETE', `/v3/users/${userId}`, { as: token });
  assert.ok([403, 404].includes(status));
});
