/** What a cluster is made of, and what it waits for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster, ManagedNode } from '@drover/api';
import { planHosts } from './plan-hosts.ts';

const cluster = { metadata: { name: 'c-a' }, spec: { rancherKubernetesEngineConfig: {} } } as unknown as Cluster;

const host = (name: string, roles: readonly string[], more: { readonly gone?: boolean; readonly key?: string } = {}) =>
  ({
    metadata: {
      name: `m-${name}`,
      namespace: 'c-a',
      ...(more.gone ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: {
      requestedHostname: name,
      etcd: roles.includes('etcd'),
      controlPlane: roles.includes('controlplane'),
      worker: roles.includes('worker'),
      customConfig: {
        address: '192.0.2.1',
        internalAddress: '10.0.0.1',
        label: { a: 'b' },
        taints: ['k=v:NoSchedule'],
      },
    },
    status: { hostIdentity: { key: more.key ?? name } },
  }) as unknown as ManagedNode;

const here = { isConnected: () => true };
const all = ['etcd', 'controlplane', 'worker'];

test('what is missing is named: roles first, then agents that are away', () => {
  assert.match(
    planHosts(cluster, [], here).missing ?? '',
    /hosts with the role etcd, the role controlplane and the role worker: run/,
  );
  assert.match(
    planHosts(cluster, [host('a', ['etcd', 'worker'])], here).missing ?? '',
    /a host with the role controlplane: run/,
  );
  const away = planHosts(cluster, [host('a', all), host('b', all)], { isConnected: name => name === 'a' });
  assert.equal(away.missing, undefined);
  assert.match(away.away ?? '', /the agent of b to connect/);
  assert.deepEqual([away.awayHosts, away.isHeadless], [['b'], false]);
  const others = planHosts(cluster, [host('a', all), host('b', ['worker'])], { isConnected: name => name === 'b' });
  assert.deepEqual([others.awayHosts, others.isHeadless], [['a'], true]);
  assert.equal(planHosts(cluster, [host('a', all)], here).away, undefined);
});

test('a host is as it registered, and one that goes is no part any more', () => {
  const plan = planHosts(cluster, [host('b', all), host('a', all, { gone: true })], here);
  assert.deepEqual(
    plan.leaving.map(({ metadata }) => metadata.name),
    ['m-a'],
  );
  assert.deepEqual(plan.hosts, [
    {
      address: '192.0.2.1',
      internalAddress: '10.0.0.1',
      hostnameOverride: 'b',
      user: 'root',
      sshAgentAuth: true,
      role: all,
      labels: { a: 'b' },
      taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }],
    },
  ]);
});

test('the digest changes with what has to be brought about, not with what an action asks for', () => {
  const digest = (config: object, nodes = [host('a', all)]) =>
    planHosts({ ...cluster, spec: { rancherKubernetesEngineConfig: config } } as unknown as Cluster, nodes, here)
      .digest;
  assert.equal(digest({}), digest({ rotateEncryptionKey: true }));
  assert.notEqual(digest({}), digest({ kubernetesVersion: 'v1.36.3' }));
  assert.notEqual(digest({}), digest({}, [host('a', all), host('b', all)]));
});
