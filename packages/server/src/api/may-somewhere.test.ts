/** What schemas and collections offer is what the caller may make, change or delete somewhere. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

const methodsOf = async (type: string, as: string) =>
  (await api.want(200, 'GET', `/v3/schemas/${type}`, { as })).collectionMethods as string[];
const offered = async (plural: string, as: string) =>
  Object.keys((await api.want(200, 'GET', `/v3/${plural}`, { as })).createTypes);

test('who may make none of a type is not offered it, and is from when he may', async () => {
  const { id, token } = await api.makeUser('plain');
  assert.deepEqual(await methodsOf('roleTemplate', api.admin), ['GET', 'POST']);
  assert.deepEqual(await offered('roletemplates', api.admin), ['roleTemplate']);
  for (const type of ['roleTemplate', 'project', 'clusterRoleTemplateBinding'])
    assert.deepEqual(await methodsOf(type, token), ['GET'], type);
  assert.deepEqual(await offered('projects', token), []);
  assert.deepEqual(await methodsOf('token', token), ['GET', 'POST'], 'everybody makes his own tokens');
  const clusterId = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'home' } })).id;
  const body = { clusterId, roleTemplateId: 'cluster-owner', userId: id };
  const binding = await api.want(201, 'POST', '/v3/clusterroletemplatebindings', { body });
  for (const type of ['project', 'clusterRoleTemplateBinding'])
    assert.deepEqual(await methodsOf(type, token), ['GET', 'POST'], type);
  assert.deepEqual(await offered('projects', token), ['project']);
  assert.deepEqual(await methodsOf('roleTemplate', token), ['GET']);
  await api.want(204, 'DELETE', `/v3/clusterroletemplatebindings/${binding.id}`);
  assert.deepEqual(await methodsOf('project', token), ['GET']);
});

test('who may change or delete none of a type is not offered that either', async () => {
  const { id, token } = await api.makeUser('changes-nothing');
  const methods = async (type: string, as = token) =>
    (await api.want(200, 'GET', `/v3/schemas/${type}`, { as })).resourceMethods as string[];
  const all = ['GET', 'PUT', 'DELETE'];
  assert.deepEqual(await methods('roleTemplate', api.admin), all);
  for (const type of ['roleTemplate', 'globalRole', 'cluster', 'project', 'group'])
    assert.deepEqual(await methods(type), ['GET'], type);
  assert.deepEqual(await methods('preference'), all, 'everybody has preferences of his own');
  assert.deepEqual(await methods('user'), ['GET', 'PUT'], 'everybody may change himself');
  const clusterId = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'another' } })).id;
  const projectId = (await api.want(201, 'POST', '/v3/projects', { body: { name: 'shop', clusterId } })).id;
  const given = async (plural: string, body: object, type: string) => {
    const { links } = await api.want(201, 'POST', `/v3/${plural}`, { body: { ...body, userId: id } });
    assert.deepEqual(await methods(type), all, type);
    await api.want(204, 'DELETE', links.remove.slice(api.url.length));
    assert.deepEqual(await methods(type), ['GET'], type);
  };
  await given('clusterroletemplatebindings', { clusterId, roleTemplateId: 'cluster-owner' }, 'cluster');
  await given('clusterroletemplatebindings', { clusterId, roleTemplateId: 'cluster-owner' }, 'project');
  await given('projectroletemplatebindings', { projectId, roleTemplateId: 'project-owner' }, 'project');
  const everywhere = { name: 'owns-all', rules: [], inheritedClusterRoles: ['cluster-owner'] };
  const owns = (await api.want(201, 'POST', '/v3/globalroles', { body: everywhere })).id;
  await given('globalrolebindings', { globalRoleId: owns }, 'cluster');
  const rule = { apiGroups: ['management.cattle.io'], resources: ['globalroles'], verbs: ['update', 'delete'] };
  const role = { name: 'one-role', rules: [{ ...rule, resourceNames: ['user-base'] }] };
  const globalRoleId = (await api.want(201, 'POST', '/v3/globalroles', { body: role })).id;
  await given('globalrolebindings', { globalRoleId }, 'globalRole');
});
