/** Who may set the labels of pod security: owners of the cluster, and who was given that right in the project. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from '../api/fixture.ts';
import { requireMaySetPodSecurity } from './namespace-pod-security.ts';

let api: TestApi;
let clusterId: string;
let projectId: string;

before(async () => {
  api = await openTestApi();
  clusterId = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'home' } })).id;
  projectId = (await api.want(201, 'POST', '/v3/projects', { body: { name: 'shop', clusterId } })).id;
});
after(() => api[Symbol.asyncDispose]());

const enforce = 'pod-security.kubernetes.io/enforce';

test('changing namespaces is not enough, updatepsa in the project is', async () => {
  const { id: userId } = await api.makeUser('mia');
  const caller = { userId, username: 'mia', groups: [], extra: {}, tokenId: '', via: 'bearer' as const };
  const view = {
    deps: api.deps,
    caller,
    base: api.url,
    versionPath: '/v3',
    context: { type: 'cluster', id: clusterId } as const,
  };
  const set = (of: string | undefined, from: Record<string, string> = {}) =>
    requireMaySetPodSecurity(view, { projectId: of, from, to: { [enforce]: 'privileged', team: 'shop' } });
  const give = (roleTemplateId: string) =>
    api.want(201, 'POST', '/v3/projectroletemplatebindings', { body: { projectId, roleTemplateId, userId } });
  await give('project-member');
  assert.throws(() => set(projectId), /updatepsa/);
  assert.throws(() => set(undefined), /updatepsa/);
  set(projectId, { [enforce]: 'privileged' });
  const rules = [{ apiGroups: ['management.cattle.io'], resources: ['projects'], verbs: ['updatepsa'] }];
  const body = { name: 'says which pods run', context: 'project', rules };
  await give((await api.want(201, 'POST', '/v3/roletemplates', { body })).id);
  set(projectId);
  assert.throws(() => set(`${clusterId}:p-other`), /updatepsa/);
});
