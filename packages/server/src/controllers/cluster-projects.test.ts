/** Each cluster's own two projects, and what is put into them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Resource, silentLog, until } from '@drover/base';
import { FieldCipher, newSecretsKey, openSqliteStore } from '@drover/store';
import { createCaches, Resources, startCaches, startController } from '../resources/index.ts';
import { clusterProjects, planMoves, systemProjectLabel } from './cluster-projects.ts';

const namespace = (name: string, more: object = {}): Resource =>
  ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...more } }) as Resource;

test('only namespaces with a place, in no project and not on their way out are moved', () => {
  const places = new Map([
    ['default', 'c-a:p-d'],
    ['kube-system', 'c-a:p-s'],
    ['cattle-system', 'c-a:p-s'],
    ['kube-public', 'c-a:p-s'],
  ]);
  const moves = planMoves(
    [
      namespace('default'),
      namespace('kube-system', { annotations: { 'field.cattle.io/projectId': 'c-a:p-mine' } }),
      namespace('cattle-system', { annotations: { other: 'x' } }),
      namespace('kube-public', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      namespace('shop'),
    ],
    places,
  );
  assert.deepEqual(
    moves.map(move => [move.namespace.metadata.name, move.projectId]),
    [
      ['default', 'c-a:p-d'],
      ['cattle-system', 'c-a:p-s'],
    ],
  );
});

test('a cluster gets each project once; Default stays deleted, System comes back', async () => {
  await using store = await openSqliteStore({ path: ':memory:' });
  const resources = new Resources(store, new FieldCipher([newSecretsKey()]));
  const caches = createCaches(resources, silentLog);
  const stop = new AbortController();
  await startCaches(caches, stop.signal);
  const clients = {
    get: () => {
      throw new Error('nobody is connected');
    },
  };
  const setting = () => 'kube-system';
  startController(clusterProjects({ clients, setting }), { resources, caches, log: silentLog, signal: stop.signal });
  await resources.create('cluster', { metadata: { name: 'c-a' }, spec: { displayName: 'a' } });
  const names = () => Array.from(caches.project.all(), one => one.spec?.displayName).sort();
  const condition = (type: string) =>
    caches.cluster.get('c-a')?.status?.conditions?.find(one => one.type === type)?.status;
  await until('both', () => condition('SystemProjectCreated') === 'True');
  assert.deepEqual(names(), ['Default', 'System']);
  assert.equal(condition('DefaultProjectCreated'), 'True');
  for (const { metadata } of [...caches.project.all()])
    await resources.delete('project', { name: metadata.name, namespace: 'c-a' });
  await until('System to be back', () => caches.project.size === 1);
  const [system] = caches.project.all();
  assert.equal(system?.metadata.labels?.[systemProjectLabel], 'true');
  await resources.modify('cluster', { name: 'c-a' }, seen => ({ ...seen, spec: { ...seen.spec, description: 'x' } }));
  await until('a look at the cluster', () => caches.cluster.get('c-a')?.spec?.description === 'x');
  assert.deepEqual(names(), ['System']);
  stop.abort();
});
