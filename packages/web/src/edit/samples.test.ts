/** Every sample is YAML of its kind, with its words in place; a kind without one gets what must be there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { Kind } from '../net/kinds.ts';
import { forms } from './form-fields.ts';
import { sampleOf } from './samples.ts';

const kind = (plural: string, more: Partial<Kind> = {}) =>
  ({ plural, kind: 'Thing', group: 'x.io', version: 'v1', namespaced: true, ...more }) as Kind;
const sample = (plural: string, more = {}) =>
  sampleOf({
    kind: kind(plural),
    name: 'shop',
    namespace: 'prod',
    hint: word => `hint ${word.toLowerCase()}`,
    ...more,
  });

test('each kind that has a form has a sample too', () => {
  for (const plural of Object.keys(forms)) {
    const value = parse(sample(plural));
    assert.deepEqual(value.metadata, { name: 'shop', namespace: 'prod' }, plural);
    assert.doesNotMatch(sample(plural), /NAME|# [A-Z]{4}/, plural);
  }
  assert.match(sample('apps.deployments'), /# hint replicas\n {2}replicas: 2/);
});

test('of another kind, what its cluster says must be there', () => {
  const definitions = {
    definitionType: 'D',
    definitions: {
      D: { resourceFields: { apiVersion: { type: 'string' }, spec: { type: 'S' }, status: { type: 'S' } } },
      S: {
        resourceFields: {
          size: { type: 'int', required: true as const },
          mode: { type: 'string', required: true as const, options: ['fast'] },
          more: { type: 'string' },
        },
      },
    },
  };
  assert.match(sample('things', { definitions }), /spec:\n {2}size: 0\n {2}mode: fast\n$/);
});
