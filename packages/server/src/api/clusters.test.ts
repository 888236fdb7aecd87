/** Cluster names: of two servers that store one at the same time, the first has it; and the local cluster stays. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ApiRequest } from './behaviour.ts';
import { clusters } from './clusters.ts';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

const store = (displayName: string, internal = false) =>
  api.resources.create('cluster', { metadata: {}, spec: { displayName, internal } });

test('of two stored under one name the one stored later is refused, whatever was written to them since', async () => {
  const [first, second] = [await store('same'), await store('same')];
  const changed = await api.resources.modify('cluster', { name: first.metadata.name }, seen => ({
    ...seen,
    spec: { ...seen.spec, description: 'changed since' },
  }));
  const request = { deps: api.deps } as ApiRequest;
  await clusters.afterCreate!(request, changed);
  await assert.rejects(clusters.afterCreate!(request, second), {
    details: { field: 'Cluster name', code: 'NotUnique' },
  });
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
