/** What to do next is what can be done: nobody is sent to an agent that the cluster does not have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeCluster } from './doctor-cluster.ts';

const cluster = (more: object) => ({ id: 'c-x', type: 'cluster', name: 'prod', links: { self: 'https://h' }, ...more });

test('each kind of cluster is looked for where it has something to show', () => {
  const starting = {
    internal: true,
    name: 'local',
    conditions: [{ type: 'Provisioned', status: 'Unknown', message: 'download etcd (1 of 3)' }],
  };
  const made = { links: { self: 'https://h', timeline: 'https://h/timeline' } };
  for (const [more, wanted] of [
    [{ ...starting, state: 'provisioning' }, /^(?!.*cattle-cluster-agent).*drover up.*local\/logs/],
    [{ ...starting, state: 'unavailable' }, /^(?!.*cattle-cluster-agent).*local\/logs/],
    [{ ...made, state: 'provisioning' }, /^(?!.*cattle-cluster-agent).*drover clusters timeline prod$/],
    [{ ...made, state: 'pending' }, /drover clusters timeline prod$/],
    [{ state: 'pending' }, /drover clusters import prod/],
    [{ state: 'unavailable' }, /logs deploy\/cattle-cluster-agent$/],
  ] as const) {
    const { ok, todo } = describeCluster(cluster(more));
    assert.equal(ok, false);
    assert.match(todo!, wanted, JSON.stringify(more));
  }
  assert.match(
    describeCluster(cluster({ ...starting, state: 'provisioning' })).seen,
    /^provisioning; Provisioned since .*: download etcd \(1 of 3\)$/,
  );
  assert.equal(describeCluster(cluster({ state: 'active' })).ok, true);
});
