/** Quotas planned: who gets which part of what his project has, and what happens to whoever comes too late or asks for too much. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Project } from '@drover/api';
import type { Resource } from '@drover/base';
import { completeQuota, formatAmount, limitOf, readAnnotation, sameQuota, tooMuch } from './quota-amounts.ts';
import { conditionsIn, planQuotas, type QuotaObject, sameLimits, withConditions } from './quota-plan.ts';

const project = (limit: object | undefined, each: object | undefined, container?: object) =>
  ({
    metadata: { name: 'p-shop', namespace: 'c-one' },
    spec: {
      ...(limit ? { resourceQuota: { limit }, namespaceDefaultResourceQuota: { limit: each } } : {}),
      ...(container ? { containerDefaultResourceLimit: container } : {}),
    },
  }) as unknown as Project;

interface Said {
  readonly quota?: object | string;
  readonly container?: object | string;
  readonly validated?: boolean;
  readonly created?: number;
  readonly projectId?: string | null;
}

function namespace(name: string, said: Said = {}): Resource {
  const text = (value: object | string | undefined) => (typeof value === 'object' ? JSON.stringify(value) : value);
  const status = JSON.stringify({ Conditions: [{ Type: 'ResourceQuotaValidated', Status: 'True', Message: '' }] });
  const annotations = {
    'field.cattle.io/projectId': said.projectId === null ? undefined : (said.projectId ?? 'c-one:p-shop'),
    'field.cattle.io/resourceQuota': text(said.quota),
    'field.cattle.io/containerDefaultResourceLimit': text(said.container),
    'cattle.io/status': said.validated ? status : undefined,
  };
  const kept = Object.entries(annotations).filter(([, value]) => value !== undefined);
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      creationTimestamp: `2026-01-01T00:00:0${said.created ?? 0}Z`,
      annotations: Object.fromEntries(kept) as Record<string, string>,
    },
  };
}

function plan(
  of: Project,
  namespaces: readonly Resource[],
  hard: Readonly<Record<string, Record<string, string>>> = {},
) {
  const { namespaces: plans, used } = planQuotas({
    clusterId: 'c-one',
    projects: [of],
    namespaces,
    quotaIn: name => (hard[name] ? ({ metadata: { name }, spec: { hard: hard[name] } } as QuotaObject) : undefined),
  });
  const find = (name: string) => plans.find(one => one.name === name)!;
  const validated = (name: string) => find(name).conditions.find(one => one.type === 'ResourceQuotaValidated')!;
  return { find, validated, used: used.get('p-shop') };
}

test('a namespace gets the default, its own wishes go before it, and both count', () => {
  const shop = project({ pods: '10', requestsCpu: '2' }, { pods: '3', requestsCpu: '500m' });
  const own = { limit: { pods: '5', secrets: '7' } };
  const { find, used, validated } = plan(shop, [namespace('a'), namespace('b', { quota: own, created: 1 })]);
  assert.deepEqual(find('a').hard, { pods: '3', 'requests.cpu': '500m' });
  assert.deepEqual(find('b').hard, { pods: '5', 'requests.cpu': '500m' }, 'what the project does not limit is dropped');
  assert.deepEqual(JSON.parse(find('b').annotations['field.cattle.io/resourceQuota']!), {
    limit: { pods: '5', requestsCpu: '500m' },
  });
  assert.deepEqual(used, { pods: '8', requestsCpu: '1' });
  assert.deepEqual([validated('a').status, validated('b').status], ['True', 'True']);
});

test('whoever comes too late gets nothing of what is gone, and is told of it', () => {
  const shop = project({ pods: '5', secrets: '9' }, { pods: '3', secrets: '2' });
  const late = plan(shop, [namespace('late', { created: 2 }), namespace('early', { created: 1 })]);
  assert.deepEqual(late.find('early').hard, { pods: '3', secrets: '2' });
  assert.deepEqual(late.find('late').hard, { pods: '0', secrets: '2' });
  assert.equal(late.validated('late').status, 'False');
  assert.match(late.validated('late').message!, /^Resource quota \[pods=3\] exceeds project limit/);
  assert.deepEqual(late.used, { pods: '3', secrets: '4' });
});

test('one that had its part keeps it, though another that asks for it is older', () => {
  const shop = project({ pods: '5' }, { pods: '1' });
  const old = namespace('old', { quota: { limit: { pods: '4' } }, created: 0 });
  const had = namespace('had', { quota: { limit: { pods: '3' } }, validated: true, created: 5 });
  const { find, used } = plan(shop, [old, had], { old: { pods: '2' }, had: { pods: '3' } });
  assert.equal(find('had').hard!['pods'], '3');
  assert.equal(find('old').hard!['pods'], '2', 'too much asked, what it had and there is room for goes on');
  assert.deepEqual(used, { pods: '5' });
});

test('what is written by hand and can not be read, or is less than nothing, gives nobody anything', () => {
  const shop = project({ pods: '5' }, { pods: '2' });
  const broken = plan(shop, [namespace('a', { quota: '{"limit":' })]);
  assert.deepEqual([broken.find('a').hard!['pods'], broken.validated('a').status], ['2', 'False']);
  assert.equal(broken.find('a').annotations['field.cattle.io/resourceQuota'], '{"limit":', 'it stays for who wrote it');
  const less = plan(shop, [namespace('a', { quota: { limit: { pods: '-7' } } }), namespace('b', { created: 1 })]);
  assert.deepEqual([less.find('a').hard!['pods'], less.validated('a').status], ['0', 'False']);
  assert.deepEqual(less.used, { pods: '2' });
});

test('without a quota of the project nothing stays of one, in no project neither', () => {
  const quota = { limit: { pods: '5' } };
  const all = [namespace('a', { quota, validated: true }), namespace('b', { quota, validated: true, projectId: null })];
  const { find, used } = plan(project(undefined, undefined), all, { a: { pods: '5' }, b: { pods: '5' } });
  for (const name of ['a', 'b']) {
    const { hard, annotations, conditions } = find(name);
    assert.deepEqual([hard, annotations['field.cattle.io/resourceQuota']], [undefined, null]);
    assert.equal(
      withConditions(all.find(one => one.metadata.name === name)!, conditions, new Date()),
      '{"Conditions":[]}',
    );
  }
  assert.equal(used, undefined);
});

test('a namespace of another server’s project is not looked at', () => {
  const { find } = plan(project({ pods: '5' }, { pods: '1' }), [namespace('a', { projectId: 'c-two:p-shop' })]);
  assert.equal(find('a'), undefined);
});

test('limits of containers come from the namespace, and from its project for the rest', () => {
  const shop = project(undefined, undefined, { limitsCpu: '1', requestsCpu: '100m' });
  const { find } = plan(shop, [
    namespace('a', { container: { requestsCpu: '200m', limitsMemory: '' } }),
    namespace('b'),
  ]);
  assert.deepEqual(find('a').limits, { type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '200m' } });
  assert.deepEqual(find('b').limits!.defaultRequest, { cpu: '100m' });
  const seen = { type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '1', memory: '1Gi' } };
  const range = { metadata: { name: 'default-x' }, spec: { limits: [seen] } } as never;
  const wanted = { type: 'Container', default: { cpu: '1000m' }, defaultRequest: { memory: '1024Mi' } };
  assert.ok(sameLimits(range, wanted), 'the cluster asks for what is allowed where nothing is asked for');
  assert.ok(!sameLimits(range, { ...wanted, default: { cpu: '2' } }));
});

test('amounts are read, compared and written as clusters do', () => {
  assert.deepEqual(tooMuch({ 'requests.cpu': 0.1 + 0.2, pods: 4 }, { 'requests.cpu': 0.3, pods: 3 }), ['pods']);
  assert.deepEqual(
    completeQuota({ extended: { 'requests.example.com/gpu': '2' } }, { extended: { 'requests.example.com/gpu': '1' } }),
    {
      'requests.example.com/gpu': '2',
    },
  );
  assert.deepEqual(limitOf({ pods: '1', 'requests.example.com/gpu': '1', 'limits.cpu': '2' }), {
    limitsCpu: '2',
    pods: '1',
    extended: { 'requests.example.com/gpu': '1' },
  });
  assert.deepEqual(
    [formatAmount('limits.cpu', 1.5), formatAmount('requests.memory', 2 ** 29), formatAmount('pods', 12)],
    ['1500m', '512Mi', '12'],
  );
  assert.ok(sameQuota('{"limit":{"pods":"1","limitsCpu":"2"}}', '{"limit":{"limitsCpu":"2","pods":"1"}}'));
  assert.match(readAnnotation('{"limit":{"pods":"many"}}', 'limit').wrong!, /quantity "many"/);
});

test('a condition is written once, and what else is said of a namespace stays', () => {
  const other = { Type: 'InitialRolesPopulated', Status: 'True', Message: '', LastUpdateTime: '2026-01-01T00:00:00Z' };
  const before = namespace('a');
  const annotations = { ...before.metadata.annotations, 'cattle.io/status': JSON.stringify({ Conditions: [other] }) };
  const seen = { ...before, metadata: { ...before.metadata, annotations } };
  const wanted = [{ type: 'ResourceQuotaInit', status: 'True' }] as const;
  const text = withConditions(seen, wanted, new Date('2026-02-03T04:05:06Z'))!;
  const next = { ...seen, metadata: { ...seen.metadata, annotations: { ...annotations, 'cattle.io/status': text } } };
  assert.deepEqual(
    conditionsIn(next).map(one => one.Type),
    ['InitialRolesPopulated', 'ResourceQuotaInit'],
  );
  assert.equal(withConditions(next, wanted, new Date()), text, 'a later look changes nothing');
});
