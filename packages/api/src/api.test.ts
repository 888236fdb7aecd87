/** The v3 projection and input rules: what a client wrote comes back as it was written, and wrong input is named. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Field, Fields, V3Data } from './index.ts';
import {
  checkInput,
  fromV3,
  parseV3Id,
  schemaFields,
  structSchemas,
  type TypeDeclaration,
  toV3,
  types,
  v3Name,
} from './index.ts';

const all = Object.values(types) as TypeDeclaration[];

/** Values that a client might send for a field, already in the form that checking leaves them in. */
function fieldValue(field: Field): fc.Arbitrary<unknown> {
  const inner = /^(array|map)\[(.+)\]$/.exec(field.type);
  if (inner) {
    const item = fieldValue({ ...field, type: inner[2]! });
    return inner[1] === 'array'
      ? fc.array(item, { maxLength: 3 })
      : fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), item, { maxKeys: 3, noNullPrototype: true });
  }
  if (field.open) return fc.constantFrom({}, { a: [{ b: 1 }] });
  if (field.of) return structOf(field.of);
  if (field.options) return fc.constantFrom(...field.options);
  switch (field.type) {
    case 'boolean':
      return fc.boolean();
    case 'int':
      return fc.integer();
    case 'float':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'date':
      return fc.constant('2026-01-31T12:00:00Z');
    case 'dnsLabel':
      return fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
    case 'json':
      return fc.constantFrom({ a: 1 }, [1, 2], 'x');
    default:
      return fc.stringMatching(/^[A-Za-z0-9:/._-]{1,12}$/);
  }
}

const isShown = ({ secret, writeOnly, type }: Field) => !secret && !writeOnly && type !== 'password';

const structOf = (all: Fields) =>
  structOfShown(Object.fromEntries(Object.entries(all).filter(([, field]) => isShown(field))));

const structOfShown = (fields: Fields) =>
  fc.record(
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [v3Name(name, field), fieldValue(field)])),
    {
      // Shown with its default when it was left out, which is not as it was written.
      requiredKeys: Object.entries(fields).flatMap(([name, { default: value }]) =>
        value === undefined ? [] : [v3Name(name, fields[name]!)],
      ),
      noNullPrototype: true,
    },
  );

/** What a client may send to create a resource of the type. */
function inputOf(type: TypeDeclaration): fc.Arbitrary<V3Data> {
  const fields = Object.values({ ...type.top, ...type.spec }) as Field[];
  const writable = Object.entries({ ...type.top, ...type.spec }).filter(
    ([, field]) => field.create !== false && !field.writeOnly && !field.secret,
  );
  assert.ok(fields.length > 0);
  return structOf(Object.fromEntries(writable)) as fc.Arbitrary<V3Data>;
}

for (const type of all.filter(one => one.v3.collectionMethods.includes('POST'))) {
  test(`${type.id}: what a client writes comes back as it was written`, () => {
    fc.assert(
      fc.property(inputOf(type), input => {
        const parts = fromV3(type, input);
        const resource = {
          apiVersion: 'x/v1',
          kind: type.kind,
          metadata: { name: 'a', ...parts.metadata },
          ...parts.top,
          ...(parts.spec ? { spec: parts.spec } : {}),
        };
        const shown = toV3(type, resource);
        for (const [name, value] of Object.entries(input)) assert.deepEqual(shown[name], value, name);
      }),
      { numRuns: 50 },
    );
  });
}

test('checked input passes the check again unchanged', () => {
  for (const type of all.filter(one => one.v3.collectionMethods.includes('POST'))) {
    const fields = schemaFields(type);
    const structs = structSchemas(type);
    fc.assert(
      fc.property(inputOf(type), input => {
        const once = checkInput(input, fields, { mode: 'update', structs });
        assert.deepEqual(checkInput(once, fields, { mode: 'update', structs }), once);
      }),
      { numRuns: 30 },
    );
  }
});

const fields = schemaFields(types.token as TypeDeclaration);

test('unknown and read-only fields are dropped without a word', () => {
  assert.deepEqual(checkInput({ description: ' a ', nonsense: 1, uuid: 'x' }, fields, { mode: 'update' }), {
    description: 'a',
  });
});

test('numbers and booleans are taken from text', () => {
  assert.deepEqual(checkInput({ ttl: '60', enabled: 'false' }, fields, { mode: 'update' }), {
    ttl: 60,
    enabled: false,
  });
});

test('defaults fill what a create leaves out, and not what an update does', () => {
  assert.equal(checkInput({}, fields, { mode: 'create' })['enabled'], true);
  assert.deepEqual(checkInput({}, fields, { mode: 'update' }), {});
});

const cluster = {
  fields: schemaFields(types.roleTemplate as TypeDeclaration),
  structs: structSchemas(types.roleTemplate as TypeDeclaration),
};
const wrong: [string, unknown, string, string][] = [
  ['no object', [], 'body', 'InvalidBodyContent'],
  ['a list where text belongs', { name: [] }, 'name', 'InvalidFormat'],
  ['a missing required field', {}, 'name', 'MissingRequired'],
  ['an option that is none', { name: 'a', context: 'planet' }, 'context', 'InvalidOption'],
  ['text where a list belongs', { name: 'a', rules: 'x' }, 'rules', 'InvalidFormat'],
  ['a wrong value deep inside', { name: 'a', rules: [{ verbs: 'get' }] }, 'rules[0].verbs', 'InvalidFormat'],
  ['null where it may not be', { name: 'a', hidden: null }, 'hidden', 'NotNullable'],
  ['a boolean that is none', { name: 'a', hidden: 'perhaps' }, 'hidden', 'InvalidFormat'],
];

for (const [what, body, field, code] of wrong) {
  test(`${what} is ${code}, naming ${field}`, () => {
    assert.throws(
      () => checkInput(body, cluster.fields, { mode: 'create', structs: cluster.structs }),
      (error: { details?: unknown }) => {
        assert.deepEqual(error.details, { field, code });
        return true;
      },
    );
  });
}

test('ids have as many parts as their type says', () => {
  const project = types.project as TypeDeclaration;
  assert.deepEqual(parseV3Id(project, 'c-1:p-1'), { namespace: 'c-1', name: 'p-1' });
  for (const id of ['c-1', 'a:b:c', ':b', 'a:', 'a/b:c']) assert.equal(parseV3Id(project, id), undefined, id);
  assert.equal(parseV3Id(types.cluster as TypeDeclaration, 'a:b'), undefined);
});

test('secrets and passwords are never shown', () => {
  const shown = toV3(
    types.token as TypeDeclaration,
    { apiVersion: 'a', kind: 'Token', metadata: { name: 'token-a' }, token: '$3:1:x:y' } as never,
  );
  assert.ok(!JSON.stringify(shown).includes('$3'));
});
