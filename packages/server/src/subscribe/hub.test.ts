/** Subscribers that share what is looked at: who is told what and when, after which change of rights, and who is dropped. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { openTestApi, type TestApi } from '../api/fixture.ts';
import { callerOf, subscribeTo, type TestSubscriber } from './fixture.ts';
import { Hub } from './hub.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

const patient = { timeoutMs: 60_000 };
const makeCluster = async (name: string): Promise<string> =>
  (await api.want(201, 'POST', '/v3/clusters', { body: { name } })).id;
const describe = (id: string, description: string) =>
  api.want(200, 'PUT', `/v3/clusters/${id}`, { body: { description } });
const bind = async (clusterId: string, userId: string): Promise<string> => {
  const body = { clusterId, roleTemplateId: 'cluster-member', userId };
  return (await api.want(201, 'POST', '/v3/clusterroletemplatebindings', { body })).id;
};
const viewOf = async (token: string) => ({ deps: api.deps, caller: await callerOf(api.deps, token) });
const told = ({ frames }: TestSubscriber, id: string) =>
  frames.filter(({ data }) => data.id === id).map(({ name, data }) => [name, data.description]);
const saw = (client: TestSubscriber, id: string, description?: string) =>
  until(
    `${id} with ${description}`,
    () => client.frames.find(({ data }) => data.id === id && data.description === description),
    patient,
  );

test('others’ resources are not told of; a right that comes or goes is, and from then on nothing else', async () => {
  const user = await api.makeUser('subscriber');
  const [mine, foreign] = [await makeCluster('membership'), await makeCluster('foreign')];
  const hub = new Hub(api.deps, { settleAfterMs: 20 });
  using client = subscribeTo(hub, await viewOf(user.token), { type: 'cluster', pingEveryMs: 20 });
  await until('a ping', () => client.frames.some(({ name }) => name === 'ping'), patient);
  assert.ok(client.frames.every(one => one.name === 'ping'));
  const binding = await bind(mine, user.id);
  await saw(client, mine);
  await describe(mine, 'new');
  await saw(client, mine, 'new');
  await api.want(204, 'DELETE', `/v3/clusterroletemplatebindings/${binding}`);
  await describe(mine, 'secret');
  await describe(foreign, 'secret');
  const gone = await until('the removal', () => client.frames.find(({ name }) => name === 'resource.remove'), patient);
  assert.deepEqual(gone.data, { id: mine, type: 'cluster', baseType: 'cluster' });
  assert.ok(!JSON.stringify(client.frames).includes('secret'));
});

test('not even the change that comes right after the right was taken is told', async () => {
  const [user, friend] = [await api.makeUser('revoked'), await api.makeUser('keeps-his')];
  const id = await makeCluster('revoked-from');
  const binding = await bind(id, user.id);
  await bind(id, friend.id);
  const [, namespace, name] = /^(.+):(.+)$/.exec(binding)!;
  // Long enough that nobody is moved while this test runs: to be silent must not hang on that.
  const hub = new Hub(api.deps, { settleAfterMs: 600_000 });
  using other = subscribeTo(hub, await viewOf(friend.token), { type: 'cluster' });
  using client = subscribeTo(hub, await viewOf(user.token), { type: 'cluster' });
  await Promise.all([saw(client, id), saw(other, id)]);
  assert.equal(client.subscriber.audiences[0], other.subscriber.audiences[0]);
  await api.resources.delete('clusterRoleTemplateBinding', { namespace, name: name! });
  await describe(id, 'secret');
  await saw(other, id, 'secret');
  assert.deepEqual(told(client, id), [['resource.change', undefined]]);
});

test('those of the same rights get the same frame, each what is his own', async () => {
  const users = [await api.makeUser('same-a'), await api.makeUser('same-b')];
  const id = await makeCluster('same');
  for (const user of users) await bind(id, user.id);
  const hub = new Hub(api.deps);
  const views = await Promise.all(users.map(({ token }) => viewOf(token)));
  using first = subscribeTo(hub, views[0]!, { type: 'cluster' });
  using second = subscribeTo(hub, views[1]!, { type: 'cluster' });
  await Promise.all([saw(first, id), saw(second, id)]);
  assert.equal(first.subscriber.audiences[0], second.subscriber.audiences[0], 'one audience for both');
  using self = subscribeTo(hub, views[0]!, { type: 'user' });
  using other = subscribeTo(hub, views[1]!, { type: 'user' });
  for (const [client, index] of [[self, 0] as const, [other, 1] as const]) {
    await until('himself', () => client.frames.some(({ data }) => data.id === users[index]!.id), patient);
    assert.deepEqual(
      client.frames.filter(({ name }) => name === 'resource.change').map(({ data }) => [data.id, data.me]),
      [[users[index]!.id, true]],
    );
  }
});

test('links are those of whoever is told, and others when his rights are', async () => {
  const user = await api.makeUser('links');
  const id = await makeCluster('links');
  await bind(id, user.id);
  const hub = new Hub(api.deps, { settleAfterMs: 20 });
  using member = subscribeTo(hub, await viewOf(user.token), { type: 'cluster' });
  using admin = subscribeTo(hub, await viewOf(api.admin), { type: 'cluster', query: 'name=links' });
  const linksOf = (client: TestSubscriber) => {
    const links = client.frames.findLast(({ data }) => data.id === id)?.data['links'] ?? {};
    return ['update', 'remove'].filter(name => name in (links as object));
  };
  await Promise.all([saw(member, id), saw(admin, id)]);
  assert.deepEqual([linksOf(member), linksOf(admin)], [[], ['update', 'remove']]);
  const owns = { clusterId: id, roleTemplateId: 'cluster-owner', userId: user.id };
  await api.want(201, 'POST', '/v3/clusterroletemplatebindings', { body: owns });
  await until('links of his own', () => linksOf(member).length === 2, patient);
});

test('a client that reads slowly gets each resource as it is by then, once', async () => {
  const id = await makeCluster('slow');
  const hub = new Hub(api.deps);
  using client = subscribeTo(hub, await viewOf(api.admin), { type: 'cluster', query: 'name=slow' });
  using quick = subscribeTo(hub, await viewOf(api.admin), { type: 'cluster', query: 'name=slow' });
  await saw(client, id);
  client.read(false);
  for (const description of ['a', 'b', 'c']) {
    await describe(id, description);
    await saw(quick, id, description);
  }
  client.read(true);
  await saw(client, id, 'c');
  assert.deepEqual(told(client, id), [
    ['resource.change', undefined],
    ['resource.change', 'c'],
  ]);
});

test('one that was deleted while a client did not read is told of only to who knew it', async () => {
  const [known, unknown] = [await makeCluster('known'), 'x-unknown'];
  const hub = new Hub(api.deps);
  using client = subscribeTo(hub, await viewOf(api.admin), {
    type: 'cluster',
    query: 'name_in=known&name_in=x-unknown',
  });
  await saw(client, known);
  client.read(false);
  const made = await makeCluster(unknown);
  for (const id of [known, made]) await api.want(204, 'DELETE', `/v3/clusters/${id}`);
  client.read(true);
  await until('the removal', () => client.frames.some(({ name }) => name === 'resource.remove'), patient);
  assert.deepEqual(
    client.frames.filter(({ name }) => name === 'resource.remove').map(({ data }) => data.id),
    [known],
  );
});

test('a client that does not read at all is dropped with the reason', async () => {
  const hub = new Hub(api.deps);
  using client = subscribeTo(hub, await viewOf(api.admin), { type: 'cluster', pingEveryMs: 5, stuckAfterMs: 50 });
  await until('the first ping', () => client.frames.some(({ name }) => name === 'ping'), patient);
  client.read(false);
  assert.match(await until('the drop', client.closed, patient), /do not read/);
});

test('one whose end does not answer is dropped, one that answers stays', async () => {
  const hub = new Hub(api.deps);
  const options = { type: 'cluster', pingEveryMs: 5, stuckAfterMs: 100 };
  using silent = subscribeTo(hub, await viewOf(api.admin), options);
  using alive = subscribeTo(hub, await viewOf(api.admin), options);
  const answering = setInterval(() => alive.subscriber.heard(), 5);
  try {
    assert.match(await until('the drop', silent.closed, patient), /did not answer/);
    assert.equal(alive.closed(), undefined);
  } finally {
    clearInterval(answering);
  }
});

const bookmarkOf = (client: TestSubscriber, from: number) =>
  until('a bookmark', () => client.frames.slice(from).find(({ resume }) => resume)?.resume, patient);

test('a client goes on from where it was, told of just what changed since', async () => {
  const [same, changed, gone] = [await makeCluster('same-1'), await makeCluster('changes'), await makeCluster('goes')];
  const hub = new Hub(api.deps);
  const view = await viewOf(api.admin);
  const options = { type: 'cluster', pingEveryMs: 20 };
  let resume: string;
  {
    using client = subscribeTo(hub, view, options);
    await Promise.all([same, changed, gone].map(id => saw(client, id)));
    resume = await bookmarkOf(client, client.frames.length);
  }
  await describe(changed, 'meanwhile');
  await api.want(204, 'DELETE', `/v3/clusters/${gone}`);
  using again = subscribeTo(hub, view, { ...options, resume });
  await bookmarkOf(again, 0);
  assert.deepEqual(
    again.frames.filter(({ name }) => name !== 'ping').map(({ name, data }) => [name, data.id]),
    [
      ['resource.change', changed],
      ['resource.remove', gone],
    ],
  );
});

test('with a bookmark of another server, other rights or another question all begins anew, and says so', async () => {
  const user = await api.makeUser('resumes');
  const id = await makeCluster('resumed');
  const hub = new Hub(api.deps, { settleAfterMs: 20 });
  const [admin, member] = [await viewOf(api.admin), await viewOf(user.token)];
  await bind(id, user.id);
  using client = subscribeTo(hub, admin, { type: 'cluster', pingEveryMs: 20 });
  const resume = await bookmarkOf(client, 0);
  const others = [
    subscribeTo(new Hub(api.deps), admin, { type: 'cluster', resume }),
    subscribeTo(hub, member, { type: 'cluster', resume }),
    subscribeTo(hub, admin, { type: 'cluster', query: 'name=resumed', resume }),
    subscribeTo(hub, admin, { type: 'cluster', resume: 'nonsense' }),
  ];
  for (const other of others) {
    await saw(other, id);
    assert.equal(other.frames[0]!.name, 'resource.reset');
    other[Symbol.dispose]();
  }
});

test('a change of what a role gives is a change for all who have it', async () => {
  const user = await api.makeUser('role-holder');
  const rule = { apiGroups: ['management.cattle.io'], resources: ['globalroles'], verbs: ['get', 'list'] };
  const role = await api.want(201, 'POST', '/v3/globalroles', { body: { name: 'reads-roles', rules: [] } });
  const body = { globalRoleId: role.id, userId: user.id };
  await api.want(201, 'POST', '/v3/globalrolebindings', { body });
  const hub = new Hub(api.deps, { settleAfterMs: 20 });
  using client = subscribeTo(hub, await viewOf(user.token), { type: 'globalRole', pingEveryMs: 20 });
  await bookmarkOf(client, 0);
  assert.ok(client.frames.every(({ name }) => name === 'ping'));
  await api.want(200, 'PUT', `/v3/globalroles/${role.id}`, { body: { rules: [rule] } });
  await saw(client, 'admin', client.frames.find(({ data }) => data.id === 'admin')?.data.description);
  await api.want(200, 'PUT', `/v3/globalroles/${role.id}`, { body: { rules: [] } });
  await until(
    'the removal',
    () => client.frames.some(({ name, data }) => name === 'resource.remove' && data.id === 'admin'),
    patient,
  );
});
