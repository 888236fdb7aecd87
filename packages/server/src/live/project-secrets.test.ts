/** Secrets of projects over the API, without a cluster: who has them, in which project, and what is kept of them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from '../api/fixture.ts';

let api: TestApi;
let shop: string;
let other: string;
const pathIn = (project: string) => `/v3/project/${project}/secrets`;

before(async () => {
  api = await openTestApi();
  const { id: clusterId } = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'home' } });
  const project = async (name: string) =>
    (await api.want(201, 'POST', '/v3/projects', { body: { name, clusterId } })).id as string;
  [shop, other] = [await project('shop'), await project('other')];
});
after(() => api[Symbol.asyncDispose]());

async function userWith(username: string, projectId: string, roleTemplateId: string): Promise<string> {
  const { id, token } = await api.makeUser(username);
  const body = { projectId, roleTemplateId, userId: id };
  await api.want(201, 'POST', '/v3/projectroletemplatebindings', { body });
  return token;
}

test('they are for who has that right in their project, and are not there for anybody else', async () => {
  const made = await api.want(201, 'POST', pathIn(shop), { body: { name: 'key', stringData: { a: 'b' } } });
  const one = `${pathIn(shop)}/${made.id}`;
  const reader = await userWith('reader', shop, 'read-only');
  const elsewhere = await userWith('elsewhere', other, 'project-owner');
  const member = await userWith('member', shop, 'project-member');
  assert.equal((await api.want(200, 'GET', one, { as: member })).data.a, 'Yg==');
  for (const [as, at] of [
    [reader, one],
    [elsewhere, one],
    [elsewhere, `${pathIn(other)}/${made.id}`],
  ] as const) {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await api.ask(method, at, { as, ...(method === 'PUT' ? { body: { data: {} } } : {}) });
      assert.equal(answer.status, 404, `${method} ${at}`);
    }
  }
  for (const [method, status] of [
    ['GET', 403],
    ['POST', 403],
  ] as const) {
    const body = method === 'POST' ? { body: { name: 'theirs' } } : {};
    assert.equal((await api.ask(method, pathIn(shop), { as: reader, ...body })).status, status, method);
  }
  const { data } = await api.want(200, 'GET', pathIn(other), { as: elsewhere });
  assert.deepEqual(data, []);
});

test('a token of a service account is made of no project', async () => {
  const body = { name: 'token', kind: 'serviceAccountToken' };
  const { status, body: answer } = await api.ask('POST', pathIn(shop), { body });
  assert.deepEqual([status, answer.code, answer.fieldName], [422, 'InvalidOption', 'kind']);
});

test('what was made with a kind keeps it', async () => {
  const made = await api.want(201, 'POST', pathIn(shop), { body: { name: 'plain', stringData: { a: 'b' } } });
  const answer = await api.ask('PUT', `${pathIn(shop)}/${made.id}`, { body: { kind: 'basicAuth' } });
  assert.deepEqual([answer.status, answer.body.fieldName], [422, 'kind']);
});
