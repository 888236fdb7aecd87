/** What is kept of a cluster's past: short, in the cluster's words, and never a value that may be a secret. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '@drover/base';
import { diffLeaves, eventEntry, type KubeEvent, leavesOf } from './entry.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const event = (more: object): KubeEvent => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'web.1', namespace: 'shop', uid: 'e-1' },
  involvedObject: { kind: 'Pod', name: 'web-1' },
  ...more,
});

test('an event says what about, how often, and when it was last seen', () => {
  const told = event({
    type: 'Warning',
    reason: 'BackOff',
    message: `restarting\n${'x'.repeat(900)}`,
    count: 7,
    lastTimestamp: '2026-01-01T11:00:00Z',
  });
  const { message, ...rest } = eventEntry(told, now);
  assert.equal(message!.length, 500);
  assert.deepEqual(rest, {
    id: 'e-1',
    at: '2026-01-01T11:00:00.000Z',
    type: 'event',
    kind: 'Pod',
    resource: 'events',
    group: '',
    namespace: 'shop',
    name: 'web-1',
    warning: true,
    reason: 'BackOff',
    count: 7,
  });
});

test('no event is of the future, whatever clock the cluster has, and what is no text is none', () => {
  const ahead = eventEntry(event({ type: 'Normal', lastTimestamp: '2031-01-01T00:00:00Z', reason: { a: 1 } }), now);
  assert.deepEqual([ahead.at, ahead.reason, ahead.warning], ['2026-01-01T12:00:00.000Z', '', undefined]);
  assert.equal(eventEntry(event({ lastTimestamp: 'never' }), now).at, '2026-01-01T12:00:00.000Z');
});

const deployment = (spec: object, labels = {}): Resource =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', labels },
    spec,
  }) as Resource;
const container = (name: string, image: string, env: object[] = []) => ({ name, image, env });
const changes = (before: object, after: object) =>
  diffLeaves(leavesOf(deployment(before)), leavesOf(deployment(after))).map(
    ({ path, before: was, after: is }) => `${path}: ${was} → ${is}`,
  );

test('a change tells its fields; containers are compared by their names', () => {
  const one = [container('web', 'nginx:1')];
  assert.deepEqual(
    changes(
      { replicas: 1, containers: one },
      { replicas: 3, containers: [container('side', 'x:1'), container('web', 'nginx:2')] },
    ),
    [
      'spec.replicas: 1 → 3',
      'spec.containers.web.image: nginx:1 → nginx:2',
      'spec.containers.side.name: undefined → side',
      'spec.containers.side.image: undefined → x:1',
    ],
  );
  assert.deepEqual(changes({ replicas: 1 }, { replicas: 1 }), []);
});

test('what may be a secret is told as changed, and never what it was', () => {
  const with_ = (value: string) => ({
    containers: [container('web', 'a', [{ name: 'DB', value }])],
    dbPassword: value,
  });
  const told = diffLeaves(leavesOf(deployment(with_('canary-one'))), leavesOf(deployment(with_('canary-two'))));
  assert.deepEqual(told, [
    { path: 'spec.containers.web.env.DB.value', before: '…', after: '…' },
    { path: 'spec.dbPassword', before: '…', after: '…' },
  ]);
  const map = (value: string) => leavesOf({ ...deployment({}), data: { 'app.ini': value } } as Resource);
  assert.deepEqual(diffLeaves(map('canary-one'), map('canary-two')), [
    { path: 'data.app.ini', before: '…', after: '…' },
  ]);
  assert.ok(!JSON.stringify(map('canary-one')).includes('canary'));
});

test('an object of any size and depth is kept small', () => {
  const deep = { a: {} as Record<string, unknown> };
  let at = deep.a;
  for (let i = 0; i < 10_000; i++) at = at['a'] = {} as Record<string, unknown>;
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, 'v'.repeat(1000)]));
  const { leaves } = leavesOf(deployment({ deep, wide }));
  assert.equal(Object.keys(leaves).length, 300);
  assert.ok(JSON.stringify(leaves).length < 60_000);
});
