/** What a type leads to is told, and nothing else; what leads back to itself ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definitionsOf } from './definitions.ts';

const ref = (id: string) => ({ allOf: [{ $ref: `#/components/schemas/${id}` }], description: `the ${id}` });

const document = {
  components: {
    schemas: {
      'x.Deployment': {
        'x-kubernetes-group-version-kind': [{ group: 'apps', version: 'v1', kind: 'Deployment' }],
        required: ['spec'],
        properties: {
          spec: ref('x.Spec'),
          ports: { type: 'array', items: { type: 'object', properties: { port: { type: 'integer' } } } },
          labels: { type: 'object', additionalProperties: { type: 'string' } },
        },
      },
      'x.Spec': { properties: { again: ref('x.Spec'), mode: { type: 'string', enum: ['a', 'b'] }, at: ref('x.Time') } },
      'x.Time': { type: 'string', format: 'date-time' },
      'x.Other': { properties: { no: { type: 'string' } } },
    },
  },
};

test('fields, their types and their words', () => {
  const found = definitionsOf(document, { group: 'apps', version: 'v1', kind: 'Deployment' });
  assert.deepEqual(found, {
    definitionType: 'x.Deployment',
    definitions: {
      'x.Deployment': {
        type: 'x.Deployment',
        resourceFields: {
          spec: { type: 'x.Spec', description: 'the x.Spec', required: true },
          ports: { type: 'array', subtype: 'x.Deployment.ports' },
          labels: { type: 'map', subtype: 'string' },
        },
      },
      'x.Spec': {
        type: 'x.Spec',
        resourceFields: {
          again: { type: 'x.Spec', description: 'the x.Spec' },
          mode: { type: 'string', options: ['a', 'b'] },
          at: { type: 'string', description: 'the x.Time' },
        },
      },
      'x.Deployment.ports': { type: 'x.Deployment.ports', resourceFields: { port: { type: 'int' } } },
    },
  });
});

test('a kind that the document does not know', () => {
  assert.equal(definitionsOf(document, { group: 'apps', version: 'v1', kind: 'Pod' }), undefined);
});
