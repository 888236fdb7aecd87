/** Bad input about who may do what: a coded message that names the field, and nothing changed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
let cluster: string;
let project: string;

before(async () => {
  api = await openTestApi({ kubeApi: true });
  cluster = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'one' } })).id;
  project = (await api.want(201, 'POST', '/v3/projects', { body: { name: 'shop', clusterId: cluster } })).id;
});
after(() => api[Symbol.asyncDispose]());

const types = [
  'globalRole',
  'globalRoleBinding',
  'roleTemplate',
  'clusterRoleTemplateBinding',
  'projectRoleTemplateBinding',
] as const;
const state = () => JSON.stringify(types.map(type => [...api.caches[type].all()]));

/** Asks, and tells status, code and field of the refusal; fails where anything has changed. */
async function refused(method: string, path: string, body?: unknown): Promise<unknown[]> {
  const before = state();
  const answer = await api.ask(method, path, { body });
  assert.equal(state(), before, `${method} ${path} has changed something`);
  return [answer.status, answer.body.code, answer.body.fieldName].filter(one => one !== undefined && one !== '');
}

const role = async (body: object): Promise<string> =>
  (await api.want(201, 'POST', '/v3/roletemplates', { body: { name: 'role', context: 'cluster', ...body } })).id;

test('roles do not inherit in circles, short or long, on either way', async () => {
  const first = await role({});
  const second = await role({ roleTemplateIds: [first] });
  const third = await role({ roleTemplateIds: [second] });
  for (const inherited of [first, second, third])
    assert.deepEqual(await refused('PUT', `/v3/roletemplates/${first}`, { roleTemplateIds: [inherited] }), [
      422,
      'InvalidState',
      'roleTemplateIds',
    ]);
  const path = `/k8s/clusters/local/apis/management.cattle.io/v3/roletemplates/${first}`;
  const headers = { 'content-type': 'application/merge-patch+json' };
  const before = state();
  const answer = await api.ask('PATCH', path, { body: { roleTemplateNames: [third] }, headers });
  assert.deepEqual([answer.status, answer.body.reason, state() === before], [422, 'Invalid', true]);
});

test('a role with live bindings stays, whichever kind they are', async () => {
  const bound = await role({});
  await api.want(201, 'POST', '/v3/clusterroletemplatebindings', {
    body: { clusterId: cluster, roleTemplateId: bound, userId: api.adminId },
  });
  assert.deepEqual(await refused('DELETE', `/v3/roletemplates/${bound}`), [409, 'Conflict']);
  const { id: global } = await api.want(201, 'POST', '/v3/globalroles', { body: { name: 'global', rules: [] } });
  await api.want(201, 'POST', '/v3/globalrolebindings', { body: { globalRoleId: global, userId: api.adminId } });
  assert.deepEqual(await refused('DELETE', `/v3/globalroles/${global}`), [409, 'Conflict']);
});

const bindings = () =>
  [
    ['/v3/globalrolebindings', { globalRoleId: 'user' }],
    ['/v3/clusterroletemplatebindings', { clusterId: cluster, roleTemplateId: 'cluster-member' }],
    ['/v3/projectroletemplatebindings', { projectId: project, roleTemplateId: 'read-only' }],
  ] as const;

test('a binding names one subject that there is or can be', async () => {
  const long = `openldap_user://${'x'.repeat(1025)}`;
  for (const [path, body] of bindings()) {
    for (const [subject, expected] of [
      [{}, [422, 'MissingRequired', 'userId']],
      [{ userId: api.adminId, groupPrincipalId: 'openldap_group://dev' }, [422, 'MissingRequired', 'userId']],
      [{ userId: 'u-nobody' }, [404, 'NotFound']],
      [{ userPrincipalId: 'local://u-nobody' }, [404, 'NotFound']],
      [{ userPrincipalId: 'nowhere_user://dev' }, [422, 'InvalidReference', 'userPrincipalId']],
      [{ userPrincipalId: 'openldap_group://dev' }, [422, 'InvalidReference', 'userPrincipalId']],
      [{ userPrincipalId: 'openldap_user://' }, [422, 'InvalidReference', 'userPrincipalId']],
      [{ userPrincipalId: 'openldap_user://a\u0000b' }, [422, 'InvalidReference', 'userPrincipalId']],
      [{ userPrincipalId: long }, [422, 'InvalidReference', 'userPrincipalId']],
      [{ groupPrincipalId: 'dev' }, [422, 'InvalidReference', 'groupPrincipalId']],
      [{ groupPrincipalId: 'system:masters' }, [422, 'InvalidReference', 'groupPrincipalId']],
      [{ groupPrincipalId: 'nowhere_group://dev' }, [422, 'InvalidReference', 'groupPrincipalId']],
    ] as const)
      assert.deepEqual(
        await refused('POST', path, { ...body, ...subject }),
        expected,
        JSON.stringify(subject).slice(0, 80),
      );
  }
  for (const subject of [
    { userPrincipalId: 'openldap_user://uid=mia,ou=people,dc=example,dc=com' },
    { groupPrincipalId: 'github_team://1234' },
    { groupPrincipalId: 'github_org://99' },
    { groupPrincipalId: 'system:authenticated' },
  ])
    for (const [path, body] of bindings()) await api.want(201, 'POST', path, { body: { ...body, ...subject } });
});

test('what a binding is about is there', async () => {
  const subject = { userId: api.adminId };
  for (const [path, body, expected] of [
    ['/v3/globalrolebindings', { globalRoleId: 'none' }, [404, 'NotFound']],
    ['/v3/clusterroletemplatebindings', { clusterId: cluster, roleTemplateId: 'none' }, [404, 'NotFound']],
    [
      '/v3/clusterroletemplatebindings',
      { clusterId: 'c-none', roleTemplateId: 'cluster-member' },
      [422, 'InvalidReference', 'clusterId'],
    ],
    [
      '/v3/projectroletemplatebindings',
      { projectId: `${cluster}:p-none`, roleTemplateId: 'read-only' },
      [404, 'NotFound'],
    ],
    [
      '/v3/projectroletemplatebindings',
      { projectId: project, roleTemplateId: 'cluster-member' },
      [422, 'InvalidBodyContent', 'roleTemplateId'],
    ],
  ] as const)
    assert.deepEqual(await refused('POST', path, { ...body, ...subject }), expected);
});

test('a token that is too long is nobody’s, and costs no look', async () => {
  for (const token of [
    `token-abcde:${'b'.repeat(100_000)}`.slice(0, 12_000),
    `${'t'.repeat(4000)}:b`,
    'token-abcde:',
    ':b',
    'a:b:c',
  ]) {
    const { status, body } = await api.ask('GET', '/v3/users', { as: token });
    assert.deepEqual([status, body.message], [401, 'Unauthorized 401: must authenticate'], token.slice(0, 20));
  }
});
