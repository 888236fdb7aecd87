/** Which namespaces get a policy, whom it lets in, and when one is as it should be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManagedNode } from '@drover/api';
import type { Resource } from '@drover/base';
import { isAsWanted, planIsolation } from './project-isolation-plan.ts';

const namespace = (name: string, projectId?: string, more: object = {}): Resource => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...(projectId ? { annotations: { 'field.cattle.io/projectId': projectId } } : {}), ...more },
});
const node = (spec: object, status: object) => ({ metadata: { name: 'm' }, spec, status }) as unknown as ManagedNode;
const plan = (
  namespaces: readonly Resource[],
  nodes: readonly ManagedNode[] = [],
  system: string | undefined = 'p-sys',
) => planIsolation({ clusterId: 'c-a', installUuid: 'uuid', system, namespaces, nodes });
// biome-ignore lint/suspicious/noExplicitAny: a policy's spec, as the cluster has it.
const from = (policy: { spec?: any } | undefined) => policy?.spec.ingress[0].from;

test('a namespace of a project gets one, others do not', () => {
  const all = [
    namespace('shop', 'c-a:p-shop'),
    namespace('free'),
    namespace('kube-system', 'c-a:p-sys'),
    namespace('foreign', 'c-b:p-shop'),
    namespace('odd', 'c-a'),
    namespace('going', 'c-a:p-shop', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  ];
  assert.deepEqual(
    plan(all).map(({ metadata }) => metadata.namespace),
    ['shop'],
  );
});

test('its own project, System and the nodes are let in', () => {
  const nodes = [
    node(
      { podCidr: '10.42.1.0/24', podCidrs: ['10.42.1.0/24', 'fd00::/64'] },
      { ipAddress: '192.168.1.2', externalIpAddress: '' },
    ),
    node({}, { ipAddress: 'fd01::2', externalIpAddress: 'a name' }),
  ];
  const [policy] = plan([namespace('shop', 'c-a:p-shop')], nodes);
  const selector = {
    matchExpressions: [{ key: 'field.cattle.io/projectId', operator: 'In', values: ['p-shop', 'p-sys'] }],
  };
  assert.deepEqual(from(policy), [
    { namespaceSelector: selector },
    ...['10.42.1.0/32', '10.42.1.1/32', '192.168.1.2/32', 'fd01::2/128'].map(cidr => ({ ipBlock: { cidr } })),
  ]);
  const many = Array.from({ length: 1500 }, (_, i) => node({}, { ipAddress: `10.0.${i >> 8}.${i & 255}` }));
  assert.equal(from(plan([namespace('shop', 'c-a:p-shop')], many)[0]).length, 1001);
});

test('what somebody changed is not as it should be', () => {
  const [wanted] = plan([namespace('shop', 'c-a:p-shop')]);
  const seen = structuredClone(wanted!);
  assert.equal(isAsWanted(seen, wanted!), true);
  assert.equal(isAsWanted(undefined, wanted!), false);
  assert.equal(isAsWanted({ ...seen, spec: { podSelector: {} } }, wanted!), false);
  assert.equal(isAsWanted({ ...seen, metadata: { ...seen.metadata, labels: {} } }, wanted!), false);
});
