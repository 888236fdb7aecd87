/** The order in which clusters are offered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterRow, sortClusters } from './clusters.ts';

const rows = ['edge-10', 'edge-9', 'lab', 'prod', 'test'].map(name =>
  clusterRow({ id: name, type: 'cluster', links: {}, apiVersion: 'v3', kind: 'Cluster', metadata: { name } }),
);
const namesOf = (pinned: readonly string[], lately?: readonly string[]) =>
  sortClusters(rows, pinned, lately).map(({ name }) => name);

test('pinned clusters come first, then where one was lately, then all by name', () => {
  assert.deepEqual(namesOf([]), ['edge-9', 'edge-10', 'lab', 'prod', 'test']);
  assert.deepEqual(namesOf(['prod'], ['test', 'gone', 'prod', 'lab']), ['prod', 'test', 'lab', 'edge-9', 'edge-10']);
});
