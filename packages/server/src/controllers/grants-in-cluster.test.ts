/** Which grants count in a cluster: by where they lie, whatever they say of themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caches } from '../resources/index.ts';
import { bindingsIn, projectBindingsIn, templatesInCluster } from './grants-in-cluster.ts';

const binding = (name: string, namespace: string, more: object) => ({ metadata: { name, namespace }, ...more });
const clusterWide = [
  binding('here', 'c-1', { clusterName: 'c-1', roleTemplateName: 'outer' }),
  binding('stray', 'c-2', { clusterName: 'c-1', roleTemplateName: 'other' }),
  binding('there', 'c-2', { clusterName: 'c-2', roleTemplateName: 'other' }),
];
const inProjects = [
  binding('own', 'p-1', { projectName: 'c-1:p-1' }),
  binding('backing', 'c-1-p-1', { projectName: 'c-1:p-1' }),
  binding('stray', 'p-2', { projectName: 'c-1:p-1' }),
];
const caches = {
  clusterRoleTemplateBinding: { all: () => clusterWide },
  projectRoleTemplateBinding: { by: () => inProjects },
  project: {
    get: (name: string, namespace: string) => (name === 'p-1' ? { metadata: { name, namespace } } : undefined),
  },
  roleTemplate: {
    get: (name: string) => ({ metadata: { name }, roleTemplateNames: name === 'outer' ? ['inner'] : [] }),
  },
} as unknown as Caches;
const names = (all: readonly { readonly metadata: { readonly name: string } }[]) => all.map(one => one.metadata.name);

test('a binding that lies elsewhere gives nothing in a cluster', () => {
  assert.deepEqual(names(bindingsIn(caches, 'c-1')), ['here']);
});

test('a binding that lies elsewhere gives nothing in a project', () => {
  assert.deepEqual(names(projectBindingsIn(caches, 'c-1')), ['own', 'backing']);
});

test('what a role inherits is needed with it', () => {
  assert.deepEqual([...templatesInCluster(caches, 'c-1')], ['outer', 'inner']);
});
