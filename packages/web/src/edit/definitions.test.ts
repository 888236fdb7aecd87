/** A path leads through objects, lists and maps to the fields that may stand there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Definitions, fieldsAt } from './definitions.ts';

const all: Definitions = {
  definitionType: 'D',
  definitions: {
    D: { resourceFields: { spec: { type: 'S' }, labels: { type: 'map', subtype: 'string' } } },
    S: { resourceFields: { containers: { type: 'array', subtype: 'C' }, limits: { type: 'map', subtype: 'C' } } },
    C: { resourceFields: { image: { type: 'string' } } },
  },
};

test('fields at a path', () => {
  const names = (...path: string[]) => Object.keys(fieldsAt(all, path) ?? {});
  assert.deepEqual(names(), ['spec', 'labels']);
  assert.deepEqual(names('spec'), ['containers', 'limits']);
  assert.deepEqual(names('spec', 'containers', '[]'), ['image']);
  assert.deepEqual(names('spec', 'limits', 'any'), ['image']);
  assert.deepEqual(names('labels'), []);
  assert.deepEqual(names('spec', 'nothing'), []);
});
