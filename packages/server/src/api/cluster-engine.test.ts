/** Clusters on hosts in v3: what is shown of them, who may ask for what, and what of their nodes may go. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { backupName } from './cluster-engine.ts';
import { openTestApi, type TestApi } from './fixture.ts';

const s3Config = { backupConfig: { s3BackupConfig: { bucketName: 'b' } } };

let api: TestApi;
let clusterId: string;
before(async () => {
  api = await openTestApi();
  clusterId = (
    await api.want(201, 'POST', '/v3/clusters', { body: { name: 'hosts', rancherKubernetesEngineConfig: {} } })
  ).id;
});
after(() => api[Symbol.asyncDispose]());

const path = () => `/v3/clusters/${clusterId}`;
const act = (name: string, body: object = {}, as?: string) =>
  api.ask('POST', `${path()}?action=${name}`, { body, ...(as === undefined ? {} : { as }) });

const makeNode = (name: string, roles: readonly string[], more: object = {}) =>
  api.resources.create('node', {
    metadata: { name: `m-${name}`, namespace: clusterId, finalizers: ['example.com/held'] },
    spec: {
      clusterName: clusterId,
      requestedHostname: name,
      etcd: roles.includes('etcd'),
      controlPlane: roles.includes('controlPlane'),
      worker: roles.includes('worker'),
      imported: false,
      customConfig: { address: name },
    },
    status: { nodeName: name, hostIdentity: { key: name }, ...more },
  } as never);

test('the config’s schemas are those that clients know, and a secret is in no answer', async () => {
  const schema = await api.want(200, 'GET', '/v3/schemas/rancherKubernetesEngineConfig');
  assert.equal(schema.resourceFields.upgradeStrategy.type, 'nodeUpgradeStrategy');
  const body = {
    name: 'secrets',
    rancherKubernetesEngineConfig: {
      nodes: [{ address: '192.0.2.1', user: 'root', role: ['etcd', 'controlplane', 'worker'], sshKey: 'hidden-key' }],
    },
  };
  const made = await api.want(201, 'POST', '/v3/clusters', { body });
  const answers = [
    made,
    await api.want(200, 'GET', `/v3/clusters/${made.id}`),
    await api.want(200, 'GET', '/v3/clusters'),
    await api.want(200, 'PUT', `/v3/clusters/${made.id}`, { body: { description: 'x' } }),
  ];
  assert.ok(!JSON.stringify(answers).includes('hidden-key'));
  const stored = await api.resources.get('cluster', made.id);
  assert.equal(Object.values(stored.spec?.engineSecrets ?? {}).join(), '"hidden-key"');
});

test('an action is asked for once at a time, by who may change the cluster', async () => {
  const { token } = await api.makeUser('outsider');
  assert.equal((await act('rotateCertificates', {}, token)).status, 404);
  assert.equal((await act('rotateCertificates', { services: 'kubernetes' })).body.fieldName, 'services');
  assert.equal((await act('rotateCertificates', { caCertificates: true, services: 'etcd' })).status, 422);
  assert.equal((await act('rotateCertificates', { services: 'etcd' })).status, 200);
  const again = await act('rotateEncryptionKey');
  assert.deepEqual([again.status, again.body.code], [422, 'InvalidAction']);
  const { rancherKubernetesEngineConfig: config } = await api.want(200, 'GET', path());
  assert.deepEqual(config.rotateCertificates, { caCertificates: false, services: ['etcd'] });
  const imported = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'other' } })).id;
  const refused = await api.ask('POST', `/v3/clusters/${imported}?action=backupEtcd`, { body: {} });
  assert.equal(refused.body.code, 'InvalidAction');
});

test('a snapshot is asked for by hand, and only one that is complete is gone back to', async () => {
  assert.equal((await act('backupEtcd')).status, 200);
  const { data } = await until('the snapshot', async () => {
    const found = await api.want(200, 'GET', `${path()}/etcdbackups`);
    return found.data.length > 0 && found;
  });
  const [backup] = data;
  assert.deepEqual([backup.manual, backup.clusterId, backup.state], [true, clusterId, 'activating']);
  assert.match(backup.filename, new RegExp(`^${clusterId}-ml-`));
  const s3 = { metadata: { name: 'c-a' }, spec: { rancherKubernetesEngineConfig: { services: { etcd: s3Config } } } };
  assert.match(backupName(s3 as never, new Date(0)), /^c-a-ms-\w+_1970-01-01T00-00-00Z$/);
  const early = await act('restoreFromEtcdBackup', { etcdBackupId: backup.id });
  assert.deepEqual([early.status, early.body.fieldName], [422, 'etcdBackupId']);
  assert.equal((await act('restoreFromEtcdBackup', { etcdBackupId: 'none' })).body.fieldName, 'etcdBackupId');
  const elsewhere = await api.ask('POST', '/v3/etcdbackups', { body: { clusterId: 'c-none' } });
  assert.equal(elsewhere.body.fieldName, 'clusterId');
});

test('a snapshot goes back only to a Kubernetes that reads it', async () => {
  const made = await api.want(201, 'POST', '/v3/clusters', {
    body: { name: 'older', rancherKubernetesEngineConfig: { kubernetesVersion: 'v1.37.2' } },
  });
  const place = { name: 'b-old', namespace: made.id as string };
  await api.resources.create('etcdBackup', {
    metadata: place,
    spec: { clusterName: made.id, filename: 'old', manual: true },
    status: {
      kubernetesVersion: 'v1.35.4',
      clusterObject: '{"network":{"plugin":"flannel"}}',
      conditions: [{ type: 'Completed', status: 'True' }],
    },
  } as never);
  await until('it to be known', () => api.caches.etcdBackup.get(place.name, place.namespace));
  const restore = (restoreRkeConfig: string) =>
    api.ask('POST', `/v3/clusters/${made.id}?action=restoreFromEtcdBackup`, {
      body: { etcdBackupId: `${made.id}:b-old`, restoreRkeConfig },
    });
  const refused = await restore('');
  assert.deepEqual([refused.status, refused.body.fieldName], [422, 'restoreRkeConfig']);
  assert.match(refused.body.message, /made under v1\.35\.4.*nothing was changed/);
  assert.equal((await restore('all')).status, 200);
  const { rancherKubernetesEngineConfig: config } = await api.want(200, 'GET', `/v3/clusters/${made.id}`);
  assert.deepEqual([config.kubernetesVersion, config.network.plugin], ['v1.35.4', 'flannel']);
  assert.equal(config.restore.snapshotName, 'old');
});

test('the timeline is for those who see the cluster', async () => {
  const { timeline } = (await api.want(200, 'GET', path())).links;
  assert.equal(timeline, `${api.url}${path()}/timeline`);
  const answer = await api.want(200, 'GET', `${path()}/timeline`);
  assert.deepEqual([answer.type, answer.revision, answer.data], ['clusterTimeline', 0, []]);
  const { token } = await api.makeUser('stranger');
  assert.equal((await api.ask('GET', `${path()}/timeline`, { as: token })).status, 404);
  assert.equal((await api.ask('GET', `${path()}/timeline?after=x`)).body.fieldName, 'after');
});

test('the last member of etcd and the last control plane stay, and what a cluster has itself is deleted there', async () => {
  await makeNode('only', ['etcd', 'controlPlane', 'worker']);
  await makeNode('spare', ['worker']);
  const remove = (name: string) => api.ask('DELETE', `/v3/nodes/${clusterId}:m-${name}`);
  const last = await remove('only');
  assert.deepEqual([last.status, last.body.code], [422, 'InvalidState']);
  assert.match(last.body.message, /the last member of etcd/);
  assert.equal((await remove('spare')).status, 200);
  await makeNode('second', ['etcd', 'controlPlane']);
  await until('it to be known', () => api.caches.node.get('m-second', clusterId));
  assert.equal((await remove('only')).status, 200);
  await until('it to be going', () => api.caches.node.get('m-only', clusterId)?.metadata.deletionTimestamp);
  assert.equal((await remove('second')).status, 422);
  await makeNode('theirs', ['worker'], { hostIdentity: undefined });
  assert.equal((await remove('theirs')).status, 405);
});
