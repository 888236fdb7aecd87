/**
 * Writes of the server's own types under `/v1`: created, replaced, patched and deleted by the checks of v3, and refused whom v3
 * refuses.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ServerProcess, startServer } from '../server-process.ts';

const group = 'management.cattle.io';
let server: ServerProcess;
let admin: string;
let plain: { readonly id: string; readonly token: string };
let clusterId: string;
let projectId: string;

before(async () => {
  server = await startServer();
  admin = await server.login();
  plain = await server.makeUser(admin, 'plain');
  clusterId = (await server.ask(admin, 'POST', '/v3/clusters', { name: 'one' })).id;
  projectId = (await server.ask(admin, 'POST', '/v3/projects', { name: 'shop', clusterId })).id;
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
});

const ask = (method: string, path: string, body?: unknown, token = admin) =>
  server.fetch(method, `/v1/${group}.${path}`, {
    token,
    ...(body === undefined ? {} : { body }),
    headers: method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {},
  });

interface Sample {
  readonly plural: string;
  body(): object;
  /** A patch, and what of the object shows it; nothing where the type takes no change. */
  readonly patch?: object;
  readonly shows?: (body: never) => unknown;
}

const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
const samples: readonly Sample[] = [
  {
    plural: 'globalroles',
    body: () => ({ metadata: { generateName: 'gr-' }, displayName: 'reads', rules }),
    patch: { displayName: 'reads more' },
    shows: (body: { displayName: string }) => body.displayName,
  },
  {
    plural: 'globalrolebindings',
    body: () => ({ metadata: { generateName: 'grb-' }, globalRoleName: 'user-base', userName: plain.id }),
  },
  {
    plural: 'clusterroletemplatebindings',
    body: () => ({
      metadata: { generateName: 'crtb-', namespace: clusterId },
      clusterName: clusterId,
      roleTemplateName: 'cluster-member',
      userName: plain.id,
    }),
  },
  {
    plural: 'projectroletemplatebindings',
    body: () => ({
      metadata: { generateName: 'prtb-', namespace: projectId.replace(':', '-') },
      projectName: projectId,
      roleTemplateName: 'read-only',
      userName: plain.id,
    }),
  },
  {
    plural: 'projects',
    body: () => ({
      metadata: { generateName: 'p-', namespace: clusterId },
      spec: { displayName: 'desk', clusterName: clusterId },
    }),
    patch: { spec: { description: 'second' } },
    shows: (body: { spec: { description: string } }) => body.spec.description,
  },
  {
    plural: 'podsecurityadmissionconfigurationtemplates',
    body: () => ({ metadata: { name: 'own' }, configuration: { defaults: { enforce: 'baseline' } } }),
    patch: { configuration: { defaults: { enforce: 'restricted' } } },
    shows: (body: { configuration: { defaults: { enforce: string } } }) => body.configuration.defaults.enforce,
  },
];

for (const { plural, body, patch, shows } of samples) {
  test(`${plural}: created, patched, replaced and deleted, and none of it by who may not`, async () => {
    const refused = await ask('POST', plural, body(), plain.token);
    assert.equal(refused.status, 403, JSON.stringify(refused.body));
    const made = await ask('POST', plural, body());
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const one = `${plural}/${made.body.id}`;
    if (patch && shows) {
      assert.ok([403, 404].includes((await ask('PATCH', one, patch, plain.token)).status));
      const patched = await ask('PATCH', one, patch);
      assert.equal(patched.status, 200, JSON.stringify(patched.body));
      const value = shows(patched.body as never);
      assert.notEqual(value, shows(made.body as never));
      const late = await ask('PUT', one, made.body);
      assert.equal(late.status, 409, 'what was read before the change is not written over it');
      const replaced = await ask('PUT', one, { ...made.body, metadata: patched.body.metadata });
      assert.equal(replaced.status, 200, JSON.stringify(replaced.body));
      assert.equal(shows(replaced.body as never), shows(made.body as never));
    }
    assert.ok([403, 404].includes((await ask('DELETE', one, undefined, plain.token)).status));
    assert.ok([200, 204].includes((await ask('DELETE', one)).status));
    assert.equal((await ask('GET', one)).status, 404);
  });
}

test('what v3 finds wrong with one is wrong here', async () => {
  const metadata = { generateName: 'p-', namespace: clusterId };
  const spec = { displayName: 'half', clusterName: clusterId, resourceQuota: { limit: { pods: '1' } } };
  const half = await ask('POST', 'projects', { metadata, spec });
  assert.deepEqual([half.status, half.body.code], [422, 'MissingRequired'], JSON.stringify(half.body));
  const quota = { limit: { pods: '4' } };
  const whole = { ...spec, resourceQuota: quota, namespaceDefaultResourceQuota: quota };
  const made = await ask('POST', 'projects', { metadata, spec: whole });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const replaced = await ask('PUT', `projects/${made.body.id}`, {
    ...made.body,
    spec: { ...whole, namespaceDefaultResourceQuota: undefined },
  });
  assert.deepEqual([replaced.status, replaced.body.code], [422, 'MissingRequired'], JSON.stringify(replaced.body));
});

test('nobody gives by this door what he has not', async () => {
  const role = await server.ask(admin, 'POST', '/v3/globalroles', {
    name: 'makes roles',
    rules: [{ apiGroups: [group], resources: ['globalroles'], verbs: ['get', 'list', 'create', 'update'] }],
  });
  const maker = await server.makeUser(admin, 'maker');
  await server.ask(admin, 'POST', '/v3/globalrolebindings', { globalRoleId: role.id, userId: maker.id });
  const body = {
    metadata: { generateName: 'gr-' },
    displayName: 'everything',
    rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
  };
  const { status } = await ask('POST', 'globalroles', body, maker.token);
  assert.equal(status, 403);
});

test('features are replaced, and what is changed by other doors alone is not here', async () => {
  const seen = await ask('GET', 'features/hide-local-auth-provider');
  assert.equal(seen.status, 200, JSON.stringify(seen.body));
  const on = await ask('PUT', 'features/hide-local-auth-provider', { ...seen.body, spec: { value: true } });
  assert.deepEqual([on.status, on.body.spec?.value], [200, true], JSON.stringify(on.body));
  assert.equal((await ask('PATCH', 'features/hide-local-auth-provider', { spec: { value: false } })).status, 403);
  const cluster = { metadata: { generateName: 'c-' }, spec: { displayName: 'two' } };
  assert.equal((await ask('POST', 'clusters', cluster)).status, 403);
});

test('schemas offer what somebody may do', async () => {
  const methods = async (token: string, kind: string) => {
    const { body } = await server.fetch('GET', `/v1/schemas/${group}.${kind}`, { token });
    return (body.collectionMethods ?? []) as string[];
  };
  assert.ok((await methods(admin, 'globalrole')).includes('POST'));
  assert.ok(!(await methods(plain.token, 'globalrole')).includes('POST'));
  assert.ok((await methods(admin, 'project')).includes('POST'));
  assert.ok(!(await methods(plain.token, 'project')).includes('POST'));
});
