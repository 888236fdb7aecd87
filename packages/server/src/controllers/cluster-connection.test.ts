/** From what a look at a cluster gave to its conditions: each state names its cause, and the first cause stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '@drover/api';
import { type Look, withLook } from './cluster-connection.ts';

const fresh = { apiVersion: 'management.cattle.io/v3', kind: 'Cluster', metadata: { name: 'c-1' } } as Cluster;
const version = { major: '1', minor: '36', gitVersion: 'v1.36.3' };
const well: Look = { version, uid: 'uid-1' };
const short = (cluster: Cluster) =>
  (cluster.status?.conditions ?? []).map(({ type, status, reason }) =>
    [type, status, reason].filter(Boolean).join(' '),
  );

test('a cluster whose agent never came is pending, and says what to do', () => {
  const cluster = withLook(fresh, { away: 'no agent' });
  assert.deepEqual(short(cluster), ['Pending Unknown AgentMissing']);
  assert.match(cluster.status!.conditions![0]!.message!, /apply the import manifest/);
});

test('the cluster that the server runs itself has no agent to wait for', () => {
  const local = { ...fresh, status: { driver: 'local' } };
  assert.equal(withLook(local, { away: 'it is being started: build etcd' }), local);
});

test('once its API answers it is ready, with version and identity', () => {
  const cluster = withLook(withLook(fresh, { away: 'no agent' }), well);
  assert.deepEqual(short(cluster), [
    'Pending True',
    'Provisioned True',
    'Connected True',
    'Waiting True',
    'Ready True',
  ]);
  assert.equal(cluster.status?.version?.gitVersion, 'v1.36.3');
  assert.equal(cluster.status?.clusterUid, 'uid-1');
});

test('the identity is kept once it is known', () => {
  assert.equal(withLook(withLook(fresh, well), { version, uid: 'uid-2' }).status?.clusterUid, 'uid-1');
});

test('nothing new is the same object', () => {
  const cluster = withLook(fresh, well);
  assert.equal(withLook(cluster, well), cluster);
});

test('an agent that goes leaves the cluster unavailable with the first cause', () => {
  const away = withLook(withLook(fresh, well), { away: 'the tunnel was closed' });
  assert.deepEqual(short(away).slice(-3), ['Connected False Disconnected', 'Waiting True', 'Ready False Disconnected']);
  assert.equal(withLook(away, { away: 'still away' }), away);
});

test('an API that never answered is waited for; one that did is unavailable', () => {
  assert.deepEqual(short(withLook(fresh, { unready: 'refused' })).at(-1), 'Waiting Unknown ApiUnreachable');
  assert.deepEqual(short(withLook(withLook(fresh, well), { unready: 'refused' })).at(-1), 'Ready False ApiUnreachable');
});

test('a return makes everything true again', () => {
  const back = withLook(withLook(withLook(fresh, well), { away: 'cut' }), well);
  assert.ok(back.status!.conditions!.every(condition => condition.status === 'True'));
});
