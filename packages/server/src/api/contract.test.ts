/** What unmodified clients do, in their order: base, schemas, collection, create, update, action, delete. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

interface Schema {
  readonly id: string;
  readonly links: Record<string, string>;
  readonly resourceMethods: string[];
  readonly collectionMethods: string[];
  readonly resourceFields: Record<string, { type: string }>;
}

const path = (url: string) => {
  assert.ok(url.startsWith(api.url), `${url} is not absolute`);
  return url.slice(api.url.length);
};

async function schemasFrom(base: string, token = api.admin): Promise<Map<string, Schema>> {
  const first = await api.ask('GET', base, { as: token });
  assert.equal(first.status, 200);
  const where = String(first.headers['x-api-schemas']);
  const { data } = await api.want(200, 'GET', path(where), { as: token });
  return new Map((data as Schema[]).map(schema => [schema.id, schema]));
}

test('the base answers with where the schemas are, and each schema leads to its collection', async () => {
  const schemas = await schemasFrom('/v3');
  for (const schema of schemas.values()) {
    if (!schema.collectionMethods.includes('GET') || schema.id === 'subscribe') continue;
    const list = await api.want(200, 'GET', path(schema.links['collection']!));
    assert.equal(list.type, 'collection', schema.id);
    assert.equal(list.resourceType, schema.id);
    assert.ok(Array.isArray(list.data));
    assert.equal(typeof list.actions, 'object');
    for (const one of list.data.slice(0, 2)) {
      const again = await api.want(200, 'GET', path(one.links.self));
      assert.deepEqual([again.id, again.type], [one.id, one.type]);
      // A type may have kinds of its own below it, as configurations of sign-in have.
      assert.ok([one.type, one.baseType].includes(schema.id), schema.id);
    }
  }
});

test('a schema is found by its id in any case, and what it refers to is there too', async () => {
  const one = await api.want(200, 'GET', '/v3/schemas/CLUSTERroleTemplatebinding');
  assert.equal(one.id, 'clusterRoleTemplateBinding');
  assert.equal(one.links.collection, `${api.url}/v3/clusterroletemplatebindings`);
  const schemas = await schemasFrom('/v3');
  const scalar =
    /^(string|password|int|float|boolean|date|enum|json|base64|dnsLabel|dnsLabelRestricted|hostname|intOrString|reference\[.+\])$/;
  for (const { id, resourceFields } of schemas.values()) {
    for (const [name, field] of Object.entries(resourceFields)) {
      let type = field.type;
      for (let inner = /^(?:array|map)\[(.+)\]$/.exec(type); inner; inner = /^(?:array|map)\[(.+)\]$/.exec(type))
        type = inner[1]!;
      assert.ok(scalar.test(type) || schemas.has(type), `${id}.${name} is of ${type}, which has no schema`);
    }
  }
});

test('create answers 201 with links, PUT to self changes, DELETE of self takes it away', async () => {
  const { data } = await api.want(200, 'GET', '/v3/schemas');
  const schema = (data as Schema[]).find(one => one.id === 'cluster')!;
  const made = await api.want(201, 'POST', path(schema.links['collection']!), {
    body: { type: 'cluster', name: 'first', nonsense: 1, driver: 'mine' },
  });
  assert.equal(made.type, 'cluster');
  assert.match(made.id, /^c-[a-z0-9]{5}$/);
  assert.equal(made.driver, undefined, 'read-only fields are dropped');
  assert.equal(made.creatorId, api.adminId);
  assert.equal(made.labels['cattle.io/creator'], 'norman');
  assert.equal(made.createdTS, Date.parse(made.created));
  assert.equal(made.nodeCount, 0, 'defaults are filled in');
  assert.equal(made.links.clusterRegistrationTokens, `${made.links.self}/clusterregistrationtokens`);
  assert.equal(made.actions.generateKubeconfig, `${made.links.self}?action=generateKubeconfig`);
  const changed = await api.want(200, 'PUT', path(made.links.self), {
    body: { description: 'changed', id: 'c-other' },
  });
  assert.deepEqual([changed.id, changed.name, changed.description], [made.id, 'first', 'changed']);
  const config = await api.want(200, 'POST', path(made.actions.generateKubeconfig));
  assert.equal(config.type, 'generateKubeConfigOutput');
  assert.match(config.config, new RegExp(`server: "${api.url}/k8s/clusters/${made.id}"`));
  await api.want(204, 'DELETE', path(made.links.remove));
  await api.want(404, 'GET', path(made.links.self));
});

test('of many who ask at once for a cluster of one name, one gets it', async () => {
  const asked = Array.from({ length: 12 }, () => api.ask('POST', '/v3/clusters', { body: { name: 'wanted' } }));
  const answers = await Promise.all(asked);
  const made = answers.filter(one => one.status === 201);
  assert.equal(made.length, 1);
  for (const { status, body } of answers.filter(one => one.status !== 201))
    assert.deepEqual([status, body.code, body.fieldName], [422, 'NotUnique', 'Cluster name']);
  const { data } = await api.want(200, 'GET', '/v3/clusters?name=wanted');
  assert.deepEqual(
    data.map((one: { id: string }) => one.id),
    [made[0]!.body.id],
  );
});

test('a cluster’s own path answers the cluster and points at the context’s schemas, in the singular', async () => {
  const made = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'context' } });
  const answer = await api.ask('GET', `/v3/clusters/${made.id}`);
  assert.equal(answer.body.id, made.id);
  assert.equal(answer.headers['x-api-schemas'], `${api.url}/v3/cluster/${made.id}/schemas`);
  const schemas = await schemasFrom(`/v3/clusters/${made.id}`);
  assert.equal(schemas.get('namespace')!.links['collection'], `${api.url}/v3/cluster/${made.id}/namespaces`);
  const project = await api.want(201, 'POST', '/v3/projects', { body: { name: 'Shop', clusterId: made.id } });
  assert.match(project.id, new RegExp(`^${made.id}:p-[a-z0-9]{5}$`));
  assert.equal(project.links.self, `${api.url}/v3/projects/${project.id}`, 'the colon stands unescaped');
  for (const form of ['cluster', 'clusters']) {
    const below = await api.want(200, 'GET', `/v3/${form}/${made.id}/projects`);
    assert.deepEqual(
      below.data.map((one: { id: string }) => one.id),
      [project.id],
    );
  }
  const root = await api.want(200, 'GET', `/v3/cluster/${made.id}`);
  assert.equal(root.type, 'apiRoot');
});

test('a project stays in its cluster, whatever a change or a replacement says', async () => {
  const make = async (name: string) => (await api.want(201, 'POST', '/v3/clusters', { body: { name } })).id;
  const [here, there] = [await make('here'), await make('there')];
  const { id, name } = await api.want(201, 'POST', '/v3/projects', { body: { name: 'stays', clusterId: here } });
  for (const query of ['', '?_replace=true'])
    for (const clusterId of [there, 'nowhere', null]) {
      const { status, body } = await api.ask('PUT', `/v3/projects/${id}${query}`, { body: { name, clusterId } });
      assert.deepEqual([status, body.code, body.fieldName], [422, 'InvalidOption', 'clusterId']);
    }
  await api.want(200, 'PUT', `/v3/projects/${id}?_replace=true`, { body: { name } });
  const moved = await api.want(200, 'PUT', `/v3/projects/${id}`, { body: { name: 'renamed', clusterId: here } });
  assert.deepEqual([moved.name, moved.clusterId], ['renamed', here]);
});

test('the root lists the versions, and a version is a root with its collections', async () => {
  const roots = await api.want(200, 'GET', '/', { as: '' });
  assert.deepEqual(
    [roots.type, roots.data.map((one: { apiVersion: { path: string } }) => one.apiVersion.path)],
    ['collection', ['/v3', '/v3-public']],
  );
  const root = await api.want(200, 'GET', '/v3');
  assert.equal(root.type, 'apiRoot');
  assert.equal(root.links.roleTemplates, `${api.url}/v3/roletemplates`);
});

test('every answer of v3 says not to keep it, and what it is', async () => {
  const { headers } = await api.ask('GET', '/v3/clusters');
  assert.deepEqual(
    [headers['expires'], headers['cache-control'], headers['x-content-type-options'], headers['x-api-cattle-auth']],
    ['Wed 24 Feb 1982 18:42:00 GMT', 'no-cache, no-store, must-revalidate', 'nosniff', 'true'],
  );
});

test('actions are renamed for clients that ask for it', async () => {
  const list = await api.want(200, 'GET', '/v3/users', { headers: { 'x-api-action-links': 'actionLinks' } });
  assert.equal(list.actions, undefined);
  assert.equal(list.actionLinks.changepassword, `${api.url}/v3/users?action=changepassword`);
  assert.ok(list.data[0].actionLinks.setpassword);
});

test('links follow the way the client came, and a forged host falls back', async () => {
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'drover.example.com, proxy' };
  const there = await api.want(200, 'GET', '/v3', { headers: forwarded });
  assert.equal(there.links.self, 'https://drover.example.com/v3');
  const forged = await api.want(200, 'GET', '/v3', { headers: { 'x-forwarded-host': 'a"><script>' } });
  assert.equal(forged.links.self, `${api.url}/v3`);
});

test('large answers are compressed for those who take it; YAML is given and taken', async () => {
  const zipped = await api.ask('GET', '/v3/roletemplates', { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(zipped.headers['content-encoding'], 'gzip');
  const yaml = await api.ask('GET', '/v3/settings/server-version', { headers: { accept: 'application/yaml' } });
  assert.match(yaml.body, /^id: server-version$/m);
  const made = await api.want(201, 'POST', '/v3/clusters', {
    body: 'name: from-yaml\ndescription: text\n',
    headers: { 'content-type': 'application/yaml' },
  });
  assert.deepEqual([made.name, made.description], ['from-yaml', 'text']);
});

test('the method can be overridden in the query, and ?action=remove deletes', async () => {
  const make = async (name: string) => (await api.want(201, 'POST', '/v3/clusters', { body: { name } })).id;
  const one = await make('one');
  const two = await make('two');
  await api.want(204, 'POST', `/v3/clusters/${one}?_method=DELETE`);
  await api.want(204, 'POST', `/v3/clusters/${two}?action=remove`);
  const left = await api.want(200, 'GET', '/v3/clusters?name_in=one&name_in=two');
  assert.equal(left.data.length, 0);
});
