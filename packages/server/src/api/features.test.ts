/** Features and templates of pod security over the API: what can be switched, what is locked, and what is refused. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

test('a feature is switched by whoever may; a locked one stays, and none is made or taken away', async () => {
  const { data } = await api.want(200, 'GET', '/v3/features');
  const hashing = data.find((one: { id: string }) => one.id === 'token-hashing');
  assert.deepEqual([hashing.status.default, hashing.status.lockedValue], [true, true]);
  const locked = await api.ask('PUT', '/v3/features/token-hashing', { body: { value: false } });
  assert.deepEqual([locked.status, locked.body.code, locked.body.fieldName], [422, 'InvalidState', 'value']);
  const on = await api.want(200, 'PUT', '/v3/features/hide-local-auth-provider', { body: { value: true } });
  assert.equal(on.value, true);
  const providers = async () => {
    const { data: all } = await api.want(200, 'GET', '/v3-public/authProviders', { as: '' });
    return all.map((one: { id: string }) => one.id);
  };
  assert.ok((await providers()).includes('local'), 'it is hidden only where there is another one');
  await api.resources.put(
    'authConfig',
    { metadata: { name: 'oidc' }, type: 'oidcConfig', enabled: true } as never,
    seen => ({ ...seen, enabled: true }),
  );
  assert.ok(!(await providers()).includes('local'));
  const login = '/v3-public/localProviders/local?action=login';
  const body = { username: 'admin', password: 'whatever it may be' };
  assert.equal((await api.ask('POST', login, { as: '', body })).status, 404);
  const v1 = await api.ask('POST', '/v1-public/login', { as: '', body: { ...body, type: 'localProvider' } });
  assert.equal(v1.status, 404);
  await api.want(200, 'PUT', '/v3/features/hide-local-auth-provider', { body: { value: false } });
  assert.ok((await providers()).includes('local'));
  const { token } = await api.makeUser('plain');
  const refused = await api.ask('PUT', '/v3/features/hide-local-auth-provider', { as: token, body: { value: true } });
  assert.ok([403, 404].includes(refused.status), String(refused.status));
  assert.equal((await api.ask('POST', '/v3/features', { body: { name: 'mine', value: true } })).status, 405);
  assert.equal((await api.ask('DELETE', '/v3/features/ui-sql-cache')).status, 405);
});

const templates = '/v3/podsecurityadmissionconfigurationtemplates';

test('the built-in templates are there, say what Kubernetes does, and stay', async () => {
  const { data } = await api.want(200, 'GET', `${templates}?sort=name`);
  assert.deepEqual(
    data.map((one: { name: string }) => one.name),
    ['rancher-privileged', 'rancher-restricted'],
  );
  for (const [at, level] of ['privileged', 'restricted'].entries()) {
    const { defaults } = data[at].configuration;
    for (const mode of ['enforce', 'audit', 'warn'])
      assert.deepEqual([defaults[mode], defaults[`${mode}-version`]], [level, 'latest']);
  }
  assert.equal((await api.ask('DELETE', `${templates}/rancher-privileged`)).status, 403);
});

test('a template says what clusters know, each name once', async () => {
  const make = (configuration: object) => api.ask('POST', templates, { body: { name: 'own', configuration } });
  const cases = [
    [{ defaults: { enforce: 'strict' } }, 'InvalidOption', 'configuration.defaults.enforce'],
    [{ defaults: { 'warn-version': '1.36' } }, 'InvalidFormat', 'configuration.defaults.warn-version'],
    [{ exemptions: { namespaces: ['a', 'a'] } }, 'NotUnique', 'configuration.exemptions.namespaces'],
    [{ exemptions: { namespaces: ['A b'] } }, 'InvalidFormat', 'configuration.exemptions.namespaces'],
  ] as const;
  for (const [configuration, code, field] of cases) {
    const { status, body } = await make(configuration);
    assert.deepEqual([status, body.code, body.fieldName], [422, code, field]);
  }
});

test('a cluster takes a template that is there, which then stays while it does', async () => {
  await api.want(201, 'POST', templates, {
    body: { name: 'own', configuration: { defaults: { enforce: 'baseline' } } },
  });
  const field = 'defaultPodSecurityAdmissionConfigurationTemplateName';
  const none = await api.ask('POST', '/v3/clusters', { body: { name: 'one', [field]: 'nowhere' } });
  assert.deepEqual([none.status, none.body.code, none.body.fieldName], [422, 'InvalidReference', field]);
  const made = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'one', [field]: 'own' } });
  assert.equal(made[field], 'own');
  assert.equal((await api.ask('DELETE', `${templates}/own`)).status, 409);
  await api.want(200, 'PUT', `/v3/clusters/${made.id}`, { body: { [field]: '' } });
  assert.equal((await api.ask('DELETE', `${templates}/own`)).status, 204);
});
