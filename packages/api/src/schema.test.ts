/** The declared types against the exact schemas that clients of this API know; each difference is listed with its reason. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  clouds,
  filterModifiers,
  namespace,
  principal,
  type SchemaField,
  schemaFields,
  structSchemas,
  type TypeDeclaration,
  types,
} from './index.ts';

interface KnownSchema {
  readonly pluralName: string;
  readonly collectionMethods: readonly string[];
  readonly resourceMethods: readonly string[];
  readonly resourceActions: Readonly<Record<string, unknown>>;
  readonly collectionActions: Readonly<Record<string, unknown>>;
  readonly collectionFilters?: Readonly<Record<string, readonly string[]>>;
  readonly fields: Readonly<Record<string, SchemaField>>;
}

const known = JSON.parse(
  readFileSync(new URL('../../../test/vectors/v3/schemas.json', import.meta.url), 'utf8'),
) as Record<string, KnownSchema>;
const served = [...Object.values(types), principal, namespace].filter(
  type => type.v3.collectionMethods.length > 0,
) as TypeDeclaration[];

/** Fields of ours that others don't know: clients ignore what they don't know. */
const ownFields: Readonly<Record<string, string>> = {
  'cluster.agentVersion': 'shows which agent runs, for upgrades',
  'cluster.clusterUid': 'shows which cluster an agent registered first',
  ...Object.fromEntries(
    clouds.map(({ field }) => [
      `cloudCredential.${field}`,
      'clients get it with the driver, which is there from the start',
    ]),
  ),
  'cluster.usage': 'figures of metrics.k8s.io, where the cluster has them',
  'node.usage': 'the same for one node',
  'project.limits': 'what the pods in its namespaces may take, as a cluster shows it',
  'project.requested': 'what they ask for',
  'project.usage': 'what they use, where the cluster has metrics.k8s.io',
};

const otherwise: Readonly<Record<string, string>> = {
  'setting.name': 'settings can’t be created, so nothing requires a name',
  'feature.collectionMethods': 'a feature that the server does not know would have no effect',
  'feature.resourceMethods': 'nor can one be taken out of the server',
  'feature.name': 'features can’t be created, so nothing requires a name',
  'setting.collectionMethods': 'a setting that the server does not know would have no effect',
  'nodeDriver.collectionMethods': 'a driver that the server does not know would have no effect',
  'nodeDriver.resourceMethods': 'nor can one be taken out of the server',
  'kontainerDriver.collectionMethods': 'a way of making clusters that the server does not know would make none',
  'kontainerDriver.resourceMethods': 'nor can one be taken out of the server',
  'node.collectionMethods': 'nodes register themselves or follow the cluster’s own; none is made by hand',
  'node.resourceMethods': 'nothing of theirs is changed here but by their actions',
};

for (const type of served) {
  const schema = known[type.id]!;

  test(`${type.id}: each field is as clients know it`, () => {
    for (const [name, field] of Object.entries(schemaFields(type))) {
      const key = `${type.id}.${name}`;
      if (key in ownFields) assert.equal(schema.fields[name], undefined, `${key} is known after all`);
      else if (!(key in otherwise)) assert.deepEqual(field, schema.fields[name], key);
    }
  });

  test(`${type.id}: plural, methods and actions are as clients know them`, () => {
    assert.equal(type.pluralName, schema.pluralName);
    for (const methods of ['collectionMethods', 'resourceMethods'] as const) {
      if (`${type.id}.${methods}` in otherwise) {
        for (const method of type.v3[methods]) assert.ok(schema[methods].includes(method), method);
      } else {
        assert.deepEqual(type.v3[methods], schema[methods]);
      }
    }
    for (const actions of ['resourceActions', 'collectionActions'] as const) {
      for (const [name, action] of Object.entries(type.v3[actions] ?? {})) {
        const there = schema[actions][name];
        assert.ok(there, `${name} is no ${actions} of ${type.id}`);
        if (!(`${type.id}.${name}` in otherwise)) assert.deepEqual(action, there, name);
      }
    }
  });

  test(`${type.id}: fields filter as clients know it`, () => {
    const fields = schemaFields(type);
    for (const [name, modifiers] of Object.entries(schema.collectionFilters ?? {})) {
      if (fields[name]) assert.deepEqual(filterModifiers(fields[name]), modifiers, name);
    }
  });

  for (const [id, fields] of Object.entries(structSchemas(type))) {
    if (`${type.id}.${id}` in ownFields) continue;
    test(`${type.id}: the struct ${id} is as clients know it`, () => {
      for (const [name, field] of Object.entries(fields)) assert.deepEqual(field, known[id]?.fields[name], name);
    });
  }
}

test('every difference that is excused is still one', () => {
  for (const key of Object.keys(ownFields)) {
    const [id, name] = key.split('.') as [string, string];
    const type = served.find(one => one.id === id)!;
    assert.ok(name in schemaFields(type), `${key} is gone`);
  }
});
