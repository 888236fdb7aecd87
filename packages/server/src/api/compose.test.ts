/** Compose documents: made together in an order that fits, with the sender's rights, all of it or nothing. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

const send = (rancherCompose: string, as?: string) =>
  api.ask('POST', '/v3/composeconfigs', { as, body: { rancherCompose } });
const names = async (path: string): Promise<string[]> =>
  (await api.want(200, 'GET', path)).data.map((one: { name: string }) => one.name);

test('what refers to another by its name is made after it, with its id', async () => {
  const made = await send(`
version: v3
projectRoleTemplateBindings:
  who:
    projectId: shop
    roleTemplateId: reader
    userId: ${api.adminId}
projects:
  shop: { clusterId: home, description: of the shop }
roleTemplates:
  reader: { context: project, rules: [{ apiGroups: [''], resources: [pods], verbs: [get] }] }
clusters:
  home:
`);
  assert.deepEqual([made.status, made.body.state], [201, 'active']);
  const [cluster] = (await api.want(200, 'GET', '/v3/clusters?name=home')).data;
  const [project] = (await api.want(200, 'GET', '/v3/projects?name=shop')).data;
  const [role] = (await api.want(200, 'GET', '/v3/roletemplates?name=reader')).data;
  assert.deepEqual([project.clusterId, project.description], [cluster.id, 'of the shop']);
  const { data } = await api.want(
    200,
    'GET',
    `/v3/projectroletemplatebindings?projectId=${encodeURIComponent(project.id)}`,
  );
  assert.deepEqual(
    data.map((one: Record<string, string>) => [one['roleTemplateId'], one['userId']]),
    [[role.id, api.adminId]],
  );
  const exported = await api.want(200, 'POST', `/v3/projects/${project.id}?action=exportYaml`);
  assert.match(exported.yamlOutput, /projects:\n {2}shop:/);
});

test('where one can not be made nothing is left, and it is named', async () => {
  const { status, body } = await send(`
clusters: { left: {} }
projects:
  one: { clusterId: left }
  two: { clusterId: nowhere }
`);
  assert.deepEqual([status, body.fieldName], [422, 'rancherCompose']);
  assert.match(body.message, /projects\.two/);
  assert.ok(!(await names('/v3/clusters')).includes('left'));
  assert.ok(!(await names('/v3/projects')).includes('one'));
});

test('nobody makes by a document what he may not make by itself, or sees another’s', async () => {
  const { token } = await api.makeUser('mia');
  const refused = await send(
    'globalRoles: { mine: { rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] } }',
    token,
  );
  assert.equal(refused.status, 403);
  const { body } = await send('roleTemplates: { hidden: { context: project } }');
  assert.equal((await api.ask('GET', `/v3/composeconfigs/${body.id}`, { as: token })).status, 404);
  assert.deepEqual((await api.want(200, 'GET', '/v3/composeconfigs', { as: token })).data, []);
});

test('what is no document of this kind is refused before anything is made', async () => {
  for (const text of [
    '',
    '[]',
    'a: [',
    'version: v2\nclusters: { x: {} }',
    'version: v3',
    'nonsense: { x: {} }',
    'settings: { x: {} }',
    'composeConfigs: { x: {} }',
    'clusters: [x]',
    'clusters: { x: 1 }',
    'a: &a { x: {} }\nclusters: *a',
    'roleTemplates:\n  a: { roleTemplateIds: [b] }\nclusters: { x: [] }',
    `clusters: { ${Array.from({ length: 501 }, (_, i) => `c${i}: {}`).join(', ')} }`,
  ]) {
    const { status, body } = await send(text);
    assert.deepEqual([status, body.fieldName], [422, 'rancherCompose'], text.slice(0, 60));
  }
  assert.ok(!(await names('/v3/clusters')).includes('x'));
  const { body } = await send('roleTemplates: { once: { context: project } }');
  const again = await api.ask('PUT', `/v3/composeconfigs/${body.id}`, {
    body: { rancherCompose: 'clusters: { x: {} }' },
  });
  assert.equal(again.status, 422);
});
