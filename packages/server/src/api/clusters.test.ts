/**
 * Cluster names: of two servers that store one at the same time, the first has it; the local cluster stays; and what an agent
 * sees is for the owners of its cluster.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { duplexPair } from 'node:stream';
import { after, before, test } from 'node:test';
import { type Dialer, until } from '@drover/base';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  const agent = createServer((_, response) =>
    response.end(JSON.stringify({ version: 'v1', time: new Date().toISOString(), findings: [] })),
  );
  const dialer: Dialer = async () => {
    const [near, far] = duplexPair();
    agent.emit('connection', far);
    return near;
  };
  const connection = () => assert.fail('nobody asks the clusters themselves here');
  const get = (clusterId: string) => ({ clusterId, kind: 'agent' as const, origin: 'http://kubernetes', dialer });
  api = await openTestApi({ upstreams: { get, connection, subscribe: () => {} } });
});
after(() => api[Symbol.asyncDispose]());

const store = (displayName: string, internal = false) =>
  api.resources.create('cluster', { metadata: {}, spec: { displayName, internal } });

test('of many that store one name at once, one does, and the others write nothing', async () => {
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => store('same')));
  const refused = results.flatMap(one => (one.status === 'rejected' ? [one.reason.details] : []));
  assert.deepEqual(
    refused,
    Array.from({ length: 4 }, () => ({ field: 'Cluster name', code: 'NotUnique' })),
  );
  const { data } = await api.want(200, 'GET', '/v3/clusters?name=same');
  assert.equal(data.length, 1);
});

test('a name that a cluster gave up is another’s to take, and stays his', async () => {
  const [first, second] = [await store('given-up'), await store('other')];
  const rename = (name: string, displayName: string) =>
    api.resources.modify('cluster', { name }, seen => ({ ...seen, spec: { ...seen.spec, displayName } }));
  await assert.rejects(rename(second.metadata.name, 'given-up'), {
    details: { field: 'Cluster name', code: 'NotUnique' },
  });
  await rename(first.metadata.name, 'taken-instead');
  await rename(second.metadata.name, 'given-up');
  await api.resources.delete('cluster', { name: first.metadata.name });
  await assert.rejects(store('given-up'), { details: { field: 'Cluster name', code: 'NotUnique' } });
  await store('taken-instead');
});

test('a name is free again for a change to it once its cluster is gone', async () => {
  const one = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'one' } });
  const two = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'two' } });
  const rename = (status: number) => api.want(status, 'PUT', `/v3/clusters/${two.id}`, { body: { name: 'one' } });
  assert.equal((await rename(422)).code, 'NotUnique');
  await api.want(204, 'DELETE', `/v3/clusters/${one.id}`);
  assert.equal((await rename(200)).name, 'one');
});

test('the cluster that the server runs itself can’t be deleted and does not say that it can', async () => {
  const { metadata } = await store('run-here', true);
  const shown = await api.want(200, 'GET', `/v3/clusters/${metadata.name}`);
  assert.equal(shown.links.remove, undefined);
  assert.equal((await api.want(405, 'DELETE', `/v3/clusters/${metadata.name}`)).code, 'MethodNotAllow');
});

test('what an agent sees is shown to the owners of its cluster, and to no other member', async () => {
  const { id } = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'examined' } });
  const member = await api.makeUser('member');
  const path = `/v3/clusters/${id}`;
  assert.equal((await api.want(200, 'GET', path)).links.doctor, undefined);
  await api.resources.modify('cluster', { name: id }, seen => ({
    ...seen,
    status: { ...seen.status, conditions: [{ type: 'Connected', status: 'True' }] },
  }));
  assert.equal((await api.want(200, 'GET', `${path}/doctor`)).agentVersion, 'v1');
  assert.equal((await api.want(200, 'GET', path)).links.doctor, `${api.url}${path}/doctor`);
  await api.want(404, 'GET', `${path}/doctor`, { as: member.token });
  const bind = (roleTemplateId: string) =>
    api.want(201, 'POST', '/v3/clusterRoleTemplateBindings', {
      body: { clusterId: id, userId: member.id, roleTemplateId },
    });
  const asMember = (below = '') => api.ask('GET', `${path}${below}`, { as: member.token });
  await bind('cluster-member');
  await until('the member to see it', async () => (await asMember()).status === 200, { timeoutMs: 30_000 });
  assert.equal((await asMember()).body.links.doctor, undefined);
  assert.equal((await asMember('/doctor')).status, 404);
  await bind('cluster-owner');
  await until('the owner to see it', async () => (await asMember('/doctor')).status === 200, { timeoutMs: 30_000 });
});
