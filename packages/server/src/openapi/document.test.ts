/** The OpenAPI document: valid by its own specification, whole, and true of what the server answers. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { openTestApi, type TestApi } from '../api/fixture.ts';
import { servedTypes } from '../api/registry.ts';
import { type OpenApiDocument, openApiDocument } from './document.ts';

let api: TestApi;
// biome-ignore lint/suspicious/noExplicitAny: a document of the wire, asserted on as it is.
let document: any;
before(async () => {
  api = await openTestApi();
  document = await api.want(200, 'GET', '/v3/openapi.json');
});
after(() => api[Symbol.asyncDispose]());

async function faultsOf(wire: OpenApiDocument): Promise<unknown> {
  const { valid, errors } = await new Validator().validate(structuredClone(wire));
  return valid ? undefined : errors;
}

const refsIn = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [String(inner)] : refsIn(inner)));

test('it is valid OpenAPI 3.1, and every reference leads somewhere', async () => {
  assert.equal(document.openapi, '3.1.0');
  assert.equal(await faultsOf(document), undefined);
  const lost = refsIn(document).filter(ref => {
    const [group, name] = ref.replace('#/components/', '').split('/');
    return document.components[group!]?.[name!] === undefined;
  });
  assert.deepEqual(lost, []);
});

test('the validator finds what is wrong, so that its silence says something', async () => {
  assert.ok(await faultsOf({ ...document, paths: { '/x': { get: { responses: { '200': {} } } } } }));
});

test('every type served is there with each of its methods and actions', () => {
  for (const { declaration, context, behaviour } of servedTypes) {
    const { id, pluralName, v3 } = declaration;
    const below = `${context ? `/v3/${context}/{${context}Id}` : '/v3'}/${pluralName.toLowerCase()}`;
    const collection = document.paths[below];
    const resource = document.paths[`${below}/{id}`];
    for (const method of v3.collectionMethods) assert.ok(collection[method.toLowerCase()], `${method} ${below}`);
    for (const method of v3.resourceMethods) assert.ok(resource[method.toLowerCase()], `${method} of a ${id}`);
    for (const link of Object.keys(behaviour.followLinks ?? {}))
      assert.ok(document.paths[`${below}/{id}/${link}`]?.get, `link ${link} of a ${id}`);
    for (const [place, actions] of [
      [collection, v3.collectionActions],
      [resource, v3.resourceActions],
    ] as const) {
      const asked = place?.post?.parameters?.find((one: { name: string }) => one.name === 'action')?.schema.enum;
      assert.deepEqual(asked ?? [], Object.keys(actions ?? {}), id);
    }
  }
});

test('operations have names of their own', () => {
  const names = Object.values(document.paths as Record<string, Record<string, { operationId?: string }>>).flatMap(
    path => Object.values(path).flatMap(({ operationId }) => operationId ?? []),
  );
  assert.ok(names.length > 60);
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  );
});

test('each field is said as the server holds it: type, null, who sets it, what is required', () => {
  const { schemas } = document.components;
  const cluster = schemas.cluster.allOf[1].properties;
  assert.deepEqual(cluster.nodeCount, { type: 'integer', default: 0, readOnly: true });
  assert.deepEqual(cluster.conditions.items, { $ref: '#/components/schemas/clusterCondition' });
  assert.deepEqual(cluster.transitioning.enum, ['yes', 'no', 'error']);
  assert.equal(schemas['cluster.create'].properties.nodeCount, undefined);
  assert.deepEqual(schemas['globalRoleBinding.create'].required, ['globalRoleId']);
  assert.deepEqual(schemas['clusterRoleTemplateBinding.create'].required, ['clusterId', 'roleTemplateId']);
  assert.equal(schemas['globalRoleBinding.update'].properties.globalRoleId, undefined);
  assert.equal(schemas['user.create'].properties.password.writeOnly, true);
});

test('a type that a cluster shows otherwise than the whole API has a name of its own there', async () => {
  const schema = (resourceFields: object) =>
    ({
      id: 'thing',
      pluralName: 'things',
      resourceMethods: ['GET'],
      collectionMethods: ['GET'],
      resourceFields,
      resourceActions: {},
      collectionActions: {},
      collectionFilters: {},
      links: { collection: 'https://h/v3/cluster/{clusterId}/things' },
    }) as never;
  const field = { type: 'string', create: true, update: true };
  const sets = [
    { path: '/v3', schemas: [schema({ a: field })] },
    { path: '/v3/cluster/{clusterId}', context: 'cluster' as const, schemas: [schema({ b: field })] },
    { path: '/v3/project/{projectId}', context: 'project' as const, schemas: [schema({ c: field })] },
  ];
  const made = openApiDocument(sets, { server: 'https://h', version: '1', providers: {} });
  assert.equal(await faultsOf(made), undefined);
  const { schemas } = made['components'] as { schemas: object };
  assert.ok('thing' in schemas && 'cluster.thing' in schemas && 'project.thing' in schemas);
});

test('what the server answers is as the document says', async () => {
  const checker = new Ajv2020({ strict: false, validateFormats: false });
  checker.addSchema({ $id: 'api', ...document });
  await api.want(201, 'POST', '/v3/clusters', { body: { name: 'one' } });
  for (const [path, { get }] of Object.entries(
    document.paths as Record<string, { get?: { responses: Record<string, object> } }>,
  )) {
    if (!get?.responses['200'] || path.includes('{') || !path.startsWith('/v3')) continue;
    const pointer = path.replaceAll('/', '~1');
    const check = checker.compile({
      $ref: `api#/paths/${pointer}/get/responses/200/content/application~1json/schema`,
    });
    assert.ok(check(await api.want(200, 'GET', path)), `${path}: ${JSON.stringify(check.errors?.slice(0, 3))}`);
  }
});

test('nobody gets it without signing in, and it is JSON whatever is asked for', async () => {
  assert.equal((await api.ask('GET', '/v3/openapi.json', { as: '' })).status, 401);
  for (const query of ['?_format=yaml', '?_format=html']) {
    const { headers, body } = await api.ask('GET', `/v3/openapi.json${query}`);
    assert.deepEqual([headers['content-type'], body.openapi], ['application/json', '3.1.0']);
  }
});
