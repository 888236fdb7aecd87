/** Explaining over the wire: can-i and who-can with the deciding binding, refusals that name who may grant, and no word to outsiders. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { types } from '@drover/api';
import fc from 'fast-check';
import { openTestApi, type TestApi } from '../api/fixture.ts';
import { grantsAllow, subjectsOf } from '../auth/access.ts';
import { subjectsOfUser } from '../auth/escalation.ts';
import { bindingsOf } from '../auth/grants.ts';
import type { Caller } from '../http/exchange.ts';
import { decidedBy } from './decision.ts';
import { type ExternalRules, whoCan } from './who-can.ts';

let api: TestApi;
let cluster: string;
let project: string;
type User = { readonly id: string; readonly token: string };
let owner: User;
let member: User;
let viewer: User;
let outsider: User;

const ask = (action: string, body: object, as?: string) => api.ask('POST', `/v1-access?action=${action}`, { as, body });

before(async () => {
  api = await openTestApi({ kubeApi: true });
  [owner, member, viewer, outsider] = (await Promise.all(
    ['owner', 'member', 'viewer', 'outsider'].map(name => api.makeUser(name)),
  )) as [User, User, User, User];
  cluster = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'mine' } })).id;
  const bind = (path: string, body: object) => api.want(201, 'POST', `/v3/${path}`, { body });
  await bind('clusterroletemplatebindings', { clusterId: cluster, roleTemplateId: 'cluster-owner', userId: owner.id });
  await bind('clusterroletemplatebindings', {
    clusterId: cluster,
    roleTemplateId: 'cluster-member',
    userId: member.id,
  });
  project = (await api.want(201, 'POST', '/v3/projects', { body: { clusterId: cluster, name: 'shop' } })).id;
  await bind('projectroletemplatebindings', { projectId: project, roleTemplateId: 'read-only', userId: viewer.id });
});
after(() => api[Symbol.asyncDispose]());

test('can-i says what the server decides, with the binding that decides it', async () => {
  const yes = await ask('can-i', { verb: 'create', resource: 'projects', clusterId: cluster }, owner.token);
  assert.deepEqual(
    [yes.status, yes.body.allowed, yes.body.by.role, yes.body.by.scope],
    [200, true, 'cluster-owner', cluster],
  );
  assert.match(yes.body.by.id, new RegExp(`^${cluster}:`));
  const own = await ask('can-i', { verb: 'create', resource: 'tokens' }, outsider.token);
  assert.deepEqual(own.body, { allowed: true, by: { type: 'own' } });
  const admin = await ask('can-i', { verb: 'delete', resource: 'users' });
  assert.deepEqual([admin.body.allowed, admin.body.by.type, admin.body.by.role], [true, 'globalRoleBinding', 'admin']);
  const no = await ask(
    'can-i',
    { verb: 'create', resource: 'clusterroletemplatebindings', clusterId: cluster },
    member.token,
  );
  assert.equal(no.body.allowed, false);
});

test('another user may be asked for by who may impersonate him, and by nobody else', async () => {
  const body = { verb: 'delete', resource: 'clusters', clusterId: cluster, userId: owner.id };
  const asked = await ask('can-i', body);
  assert.deepEqual([asked.body.allowed, asked.body.by.role], [true, 'cluster-owner']);
  const refused = await ask('can-i', body, member.token);
  assert.equal(refused.status, 403);
  const none = await ask('can-i', { ...body, userId: 'u-none' }, member.token);
  assert.equal(none.body.message.replace('u-none', owner.id), refused.body.message);
});

test('who-can names everybody with his binding, to who may see the members', async () => {
  const { body } = await ask('who-can', { verb: 'delete', resource: 'projects', clusterId: cluster }, owner.token);
  assert.deepEqual(body.subjects.map((one: { id: string }) => one.id).includes(owner.id), true);
  assert.equal(body.complete, false);
  const all = await ask('who-can', { verb: 'delete', resource: 'projects', clusterId: cluster });
  const ids = all.body.subjects.map((one: { id: string }) => one.id);
  assert.deepEqual([ids.includes(api.adminId), ids.includes(owner.id), ids.includes(viewer.id)], [true, true, false]);
  assert.equal(all.body.complete, true);
});

test('roles that only a cluster knows count with the rules that it gives them', () => {
  const admin = { ...subjectsOfUser(api.caches, api.adminId), username: '', tokenId: '', via: 'bearer' } as Caller;
  const pods = { verb: 'get', attributes: { group: '', resource: 'pods' }, clusterId: cluster, projectId: project };
  const told = (external: ExternalRules) =>
    whoCan({ caches: api.caches, access: api.deps.auth.access }, admin, { ...pods, external }).subjects.filter(
      ({ id }) => id === viewer.id,
    );
  assert.deepEqual(told(new Map()), []);
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
  const [found] = told(new Map([['view', rules]]));
  assert.deepEqual([found?.by.role, found?.by.scope], ['read-only', project]);
});

test('who may not see members is told of none, and a cluster of others is not there', async () => {
  const question = { verb: 'get', resource: 'pods', clusterId: cluster };
  assert.equal((await ask('who-can', question, viewer.token)).status, 403);
  assert.equal((await ask('who-can', question, outsider.token)).status, 404);
  assert.equal((await ask('can-i', question, outsider.token)).status, 404);
  assert.equal((await ask('who-can', { verb: 'create', resource: 'clusters' }, owner.token)).status, 403);
});

test('a refusal names verb, resource, scope and who may grant it', async () => {
  const body = { clusterId: cluster, roleTemplateId: 'cluster-member', userId: outsider.id };
  const refused = await api.ask('POST', '/v3/clusterroletemplatebindings', { as: member.token, body });
  assert.equal(refused.status, 403);
  assert.match(
    refused.body.message,
    new RegExp(
      `create on clusterroletemplatebindings.management.cattle.io in cluster "${cluster}"; it may be granted by .*owner`,
    ),
  );
  const hidden = await api.ask('PUT', `/v3/clusters/${cluster}`, { as: viewer.token, body: { description: 'x' } });
  assert.equal(hidden.status, 403);
  assert.match(hidden.body.message, /update on clusters\.management\.cattle\.io .*granted by an owner of the cluster$/);
});

test('every refusal names verb, resource and place, and who may grant it, on whichever way it was asked', async () => {
  const below = '/k8s/clusters/local/apis/management.cattle.io/v3';
  const template = { apiVersion: 'management.cattle.io/v3', kind: 'RoleTemplate', metadata: {}, displayName: 'x' };
  const bind = { clusterId: cluster, roleTemplateId: 'cluster-owner', userId: outsider.id };
  const rules = [{ apiGroups: ['management.cattle.io'], resources: ['clusterroletemplatebindings'], verbs: ['*'] }];
  const { id: binder } = await api.want(201, 'POST', '/v3/roletemplates', {
    body: { name: 'binder', context: 'cluster', rules },
  });
  await api.want(201, 'POST', '/v3/clusterroletemplatebindings', {
    body: { clusterId: cluster, roleTemplateId: binder, userId: viewer.id },
  });
  for (const [as, method, path, body, told] of [
    [member, 'POST', '/v3/users', { username: 'x', password: 'long enough to be one' }, /create on users\.management/],
    [member, 'POST', `${below}/roletemplates`, { ...template, rules: [] }, /create on roletemplates\.management/],
    [viewer, 'POST', '/v3/clusterroletemplatebindings', bind, /role cluster-owner.* in cluster/],
    [viewer, 'PUT', `/v3/projects/${project}`, { description: 'x' }, /update on projects\.management/],
    [member, 'POST', '/v3/users?action=refreshauthprovideraccess', {}, /create on users\.management/],
  ] as const) {
    const headers = { 'content-type': 'application/json' };
    const { status, body: error } = await api.ask(method, path, { as: as.token, body, headers });
    const text = String(error.message);
    assert.equal(status, 403, `${method} ${path}: ${text}`);
    assert.match(text, told);
    assert.match(text, /it may be granted by (an administrator|an owner of |.*owner)/);
  }
});

test('a bad question names its field', async () => {
  for (const [body, field] of [
    [{ resource: 'pods' }, 'verb'],
    [{ verb: 'get' }, 'resource'],
    [{ verb: 'get', resource: 'p o d s' }, 'resource'],
    [{ verb: 'get', resource: 'pods' }, 'resource'],
    [{ verb: 'get', resource: 'pods', projectId: 'nothing' }, 'projectId'],
    [{ verb: 'get', resource: 'pods', clusterId: 7 }, 'clusterId'],
    [{ verb: 'get', resource: 'nonsense.management.cattle.io' }, 'resource'],
  ] as const) {
    const { status, body: error } = await ask('can-i', body);
    assert.deepEqual([status, error.fieldName], [422, field], JSON.stringify(body));
  }
});

test('explaining never disagrees with deciding, whoever asks for whatever', () => {
  const { caches, auth } = api.deps;
  const deps = { caches, access: auth.access };
  const users = [owner, member, viewer, outsider].map(({ id }) => id).concat(api.adminId);
  const admin = { ...subjectsOfUser(caches, api.adminId), username: '', tokenId: '', via: 'bearer' } as Caller;
  const places = [undefined, cluster, 'c-none', project, project.replace(':', '-')];
  const names = [undefined, cluster, project.split(':')[1], owner.id];
  const arbitrary = fc.record({
    userId: fc.constantFrom(...users),
    scopedTo: fc.constantFrom(undefined, undefined, cluster, 'c-none'),
    verb: fc.constantFrom('get', 'list', 'create', 'update', 'delete', 'watch', 'own'),
    type: fc.constantFrom(...(Object.keys(types) as (keyof typeof types)[])),
    namespace: fc.constantFrom(...places),
    name: fc.constantFrom(...names),
  });
  let allowed = 0;
  fc.assert(
    fc.property(arbitrary, ({ userId, scopedTo, verb, type, namespace, name }) => {
      const caller = { ...admin, ...subjectsOfUser(caches, userId), clusterId: scopedTo };
      const wanted = { verb, type, place: { namespace, name } };
      const may = auth.access.may(caller, verb, type, wanted.place);
      const by = decidedBy(deps, caller, wanted);
      assert.equal(by !== undefined, may);
      if (by) allowed++;
      const grants = auth.access.grantsOf(caller);
      if (by && by.type !== 'own') {
        assert.ok(grantsAllow(caches, grants, wanted));
        assert.ok(bindingsOf(caches, subjectsOf(caller)).some(({ binding }) => by.id!.endsWith(binding.metadata.name)));
      } else if (by) assert.equal(grantsAllow(caches, grants, wanted), false);
      // Who is let in by a binding is among those who can, as the admin sees them.
      const clusterId =
        namespace === cluster || namespace === project ? cluster : type === 'cluster' ? name : undefined;
      const projectId =
        namespace === project
          ? project
          : type === 'project' && namespace === cluster && name
            ? `${cluster}:${name}`
            : undefined;
      if (scopedTo === undefined && (clusterId === cluster || !namespace)) {
        const { subjects } = whoCan(deps, admin, { wanted, clusterId, projectId });
        const told = subjects.some(({ id }) => id === userId);
        if (told) assert.ok(may, 'who-can tells of somebody who may not');
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(allowed > 100, `only ${allowed} were allowed`);
});
