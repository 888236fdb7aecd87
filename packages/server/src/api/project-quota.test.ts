/** Quotas of projects over the API: what is taken, what is refused and with which code, and what only the server writes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
let clusterId: string;

before(async () => {
  api = await openTestApi();
  clusterId = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'home' } })).id;
});
after(() => api[Symbol.asyncDispose]());

const both = (limit: object, each: object) => ({
  resourceQuota: { limit },
  namespaceDefaultResourceQuota: { limit: each },
});
const make = (name: string, body: object) => api.ask('POST', '/v3/projects', { body: { name, clusterId, ...body } });

const refused: readonly (readonly [what: string, body: object, code: string, field: string])[] = [
  [
    'a quota without a default',
    { resourceQuota: { limit: { pods: '5' } } },
    'MissingRequired',
    'namespaceDefaultResourceQuota',
  ],
  [
    'a default without a quota',
    { namespaceDefaultResourceQuota: { limit: { pods: '5' } } },
    'MissingRequired',
    'resourceQuota',
  ],
  [
    'a default for less',
    both({ pods: '5', secrets: '1' }, { pods: '1' }),
    'MissingRequired',
    'namespaceDefaultResourceQuota',
  ],
  ['a default for more', both({ pods: '5' }, { pods: '1', secrets: '1' }), 'MissingRequired', 'resourceQuota'],
  ['a default that is larger', both({ pods: '5' }, { pods: '6' }), 'MaxLimitExceeded', 'namespaceDefaultResourceQuota'],
  ['less than nothing', both({ pods: '-5' }, { pods: '1' }), 'MinLimitExceeded', 'resourceQuota'],
  ['what is no quantity', both({ pods: 'many' }, { pods: '1' }), 'InvalidFormat', 'resourceQuota'],
  [
    'a container’s that is none',
    { containerDefaultResourceLimit: { limitsCpu: '1 core' } },
    'InvalidFormat',
    'containerDefaultResourceLimit',
  ],
];
for (const [what, body, code, field] of refused) {
  test(`refused: ${what}`, async () => {
    const answer = await make('refused', body);
    assert.deepEqual([answer.status, answer.body.code, answer.body.fieldName], [422, code, field]);
  });
}

test('a quota is kept as it was given; what is used of it only the server says', async () => {
  const quota = both({ pods: '5', requestsCpu: '2' }, { pods: '1', requestsCpu: '500m' });
  const given = { ...quota, resourceQuota: { ...quota.resourceQuota, usedLimit: { pods: '99' } } };
  const { status, body: made } = await make('shop', given);
  assert.equal(status, 201);
  assert.deepEqual(made.resourceQuota, { limit: { pods: '5', requestsCpu: '2' } });
  const [namespace = '', name = ''] = made.id.split(':');
  await api.resources.modify('project', { name, namespace }, seen => ({
    ...seen,
    spec: { ...seen.spec, resourceQuota: { ...seen.spec?.resourceQuota, usedLimit: { pods: '4' } } },
  }));
  const path = `/v3/projects/${made.id}`;
  const smaller = await api.ask('PUT', path, { body: { resourceQuota: { limit: { pods: '3' } } } });
  assert.deepEqual(
    [smaller.status, smaller.body.code, smaller.body.fieldName],
    [422, 'MaxLimitExceeded', 'resourceQuota'],
  );
  assert.match(smaller.body.message, /namespaces have: pods=4/);
  const change = { resourceQuota: { limit: { pods: '4' }, usedLimit: { pods: '0' } } };
  const changed = await api.want(200, 'PUT', path, { body: change });
  assert.deepEqual(changed.resourceQuota, { limit: { pods: '4', requestsCpu: '2' }, usedLimit: { pods: '4' } });
  const one = await api.ask('PUT', path, { body: { namespaceDefaultResourceQuota: null } });
  assert.deepEqual([one.status, one.body.code], [422, 'MissingRequired']);
  const half = { name: 'shop', clusterId, resourceQuota: { limit: { pods: '4' } } };
  const replaced = await api.ask('PUT', `${path}?_replace=true`, { body: half });
  assert.deepEqual([replaced.status, replaced.body.fieldName], [422, 'namespaceDefaultResourceQuota']);
  const none = { resourceQuota: null, namespaceDefaultResourceQuota: null };
  const bare = await api.want(200, 'PUT', path, { body: none });
  assert.deepEqual([bare.resourceQuota ?? null, bare.namespaceDefaultResourceQuota ?? null], [null, null]);
});
