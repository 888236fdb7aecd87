/** What runs for somebody in a cluster ends as soon as he has less than it was begun with, also where he stays a member. */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { bindInCluster, callerOf, type Fixture, openFixture, seedRoles } from './fixture.ts';
import { issueToken } from './tokens.ts';
import { createUser } from './users.ts';

const open: Fixture[] = [];
let fixture: Fixture;
let userId: string;
let tokenId: string;
let last = 0;

beforeEach(async () => {
  fixture = await openFixture();
  open.push(fixture);
  await seedRoles(fixture);
  const view = (name: string, resource: string) =>
    fixture.resources.create('roleTemplate', {
      metadata: { name },
      displayName: name,
      context: 'cluster',
      clusterCreatorDefault: false,
      projectCreatorDefault: false,
      rules: [{ apiGroups: [''], resources: [resource], verbs: ['get'] }],
    });
  await view('sees-pods', 'pods');
  await view('sees-nodes', 'nodes');
  for (const name of ['c-1', 'c-2']) await fixture.resources.create('cluster', { metadata: { name }, spec: {} });
  userId = (await createUser(fixture.deps, { username: `vera${++last}`, password: 'a password long enough' })).metadata
    .name;
  tokenId = (await issueToken(fixture.deps, { userId, kind: 'derived' })).resource.metadata.name;
});
after(async () => {
  for (const one of open) await one[Symbol.asyncDispose]();
});

const bind = (clusterId: string, role: string) => bindInCluster(fixture, clusterId, role, userId);
const unbind = ({ metadata: { name, namespace } }: Awaited<ReturnType<typeof bind>>) =>
  fixture.resources.delete('clusterRoleTemplateBinding', { name, namespace });
const signal = (clusterId = 'c-1') => fixture.auth.sessions.signalFor(callerOf(userId, { tokenId }), clusterId);

test('losing one of two roles in a cluster ends what runs there, and nothing elsewhere', async () => {
  const [pods, nodes] = [await bind('c-1', 'sees-pods'), await bind('c-1', 'sees-nodes')];
  await bind('c-2', 'sees-pods');
  const [here, there] = [signal('c-1'), signal('c-2')];
  await unbind(nodes);
  assert.match(String(here.reason), /your rights have changed in cluster "c-1"/);
  assert.equal(there.aborted, false);
  const again = signal();
  assert.equal(again.aborted, false, 'what he still has goes on');
  await unbind(pods);
  assert.match(String(again.reason), /no longer a member of cluster "c-1"/);
});

test('what was given meanwhile counts from then on', async () => {
  await bind('c-1', 'sees-pods');
  const running = signal();
  const nodes = await bind('c-1', 'sees-nodes');
  assert.equal(running.aborted, false, 'more is no reason to end anything');
  assert.equal(signal(), running);
  await unbind(nodes);
  assert.equal(running.aborted, true);
});

test('T21: what runs by a role in a project ends with the project', async () => {
  const { resources } = fixture;
  await resources.create('project', {
    metadata: { name: 'p-1', namespace: 'c-1' },
    spec: { clusterName: 'c-1' },
  } as never);
  await resources.create('projectRoleTemplateBinding', {
    metadata: { namespace: 'c-1-p-1' },
    projectName: 'c-1:p-1',
    roleTemplateName: 'sees-pods',
    userName: userId,
  });
  const running = signal();
  assert.equal(running.aborted, false);
  await resources.delete('project', { name: 'p-1', namespace: 'c-1' });
  assert.match(String(running.reason), /no longer a member of cluster "c-1"/);
});

test('a role that gives less ends what runs by it; one that gives more as well does not', async () => {
  await bind('c-1', 'sees-pods');
  const running = signal();
  const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] });
  const change = (...rules: object[]) =>
    fixture.resources.modify('roleTemplate', { name: 'sees-pods' }, seen => ({ ...seen, rules: rules as never }));
  await change(rule('pods'), rule('nodes'));
  assert.equal(running.aborted, false);
  await change(rule('nodes'));
  assert.equal(running.aborted, true);
});

test('who becomes an owner loses nothing with his smaller role', async () => {
  const pods = await bind('c-1', 'sees-pods');
  const running = signal();
  const owner = await bind('c-1', 'cluster-owner');
  await unbind(pods);
  assert.equal(running.aborted, false);
  await bind('c-1', 'sees-pods');
  signal();
  await unbind(owner);
  assert.equal(running.aborted, true, 'an owner who is one no more has less');
});

test('a group that is left ends what runs in clusters', async () => {
  await bind('c-1', 'sees-pods');
  const groupPrincipals = { okta: ['okta_group://ops'] };
  await fixture.resources.create('userAttribute', { metadata: { name: userId }, groupPrincipals });
  const running = signal();
  const change = (groups: string[]) =>
    fixture.resources.modify('userAttribute', { name: userId }, seen => ({
      ...seen,
      groupPrincipals: { okta: groups },
    }));
  await change(['okta_group://ops', 'okta_group://dev']);
  assert.equal(running.aborted, false);
  await change(['okta_group://dev']);
  assert.match(String(running.reason), /groups have changed/);
});
