/**
 * Everybody, on every way into every cluster: whoever has a role in one cluster gets into that one and no other, whichever
 * door he tries. No cluster's agent is connected, so that "let in" reads as 503 from the proxy, and nothing else does.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { type ServerProcess, startServer } from '../server-process.ts';

interface Person {
  readonly name: string;
  readonly token?: string;
  /** The clusters, by the names below, that he is to get into. */
  readonly into: readonly string[];
}

let server: ServerProcess;
const clusters = new Map<string, string>();
const people: Person[] = [];

before(async () => {
  server = await startServer();
  const admin = await server.login();
  for (const name of ['one', 'two'])
    clusters.set(name, (await server.ask(admin, 'POST', '/v3/clusters', { type: 'cluster', name })).id);
  people.push({ name: 'the admin', token: admin, into: ['one', 'two'] });
  for (const role of ['cluster-owner', 'cluster-member', 'nodes-view']) {
    const { token, id } = await server.makeUser(admin, role);
    await bind(admin, { userId: id, clusterId: clusters.get('one'), roleTemplateId: role });
    people.push({ name: `${role} of one`, token, into: ['one'] });
  }
  const both = await server.makeUser(admin, 'both');
  for (const clusterId of clusters.values())
    await bind(admin, { userId: both.id, clusterId, roleTemplateId: 'cluster-owner' });
  const scoped = await server.ask(both.token, 'POST', '/v3/tokens', {
    type: 'token',
    description: 'for two',
    clusterId: clusters.get('two'),
  });
  people.push({ name: 'owner of both', token: both.token, into: ['one', 'two'] });
  people.push({ name: 'owner of both with a token for two', token: scoped.token, into: ['two'] });
  const gone = await server.makeUser(admin, 'gone');
  const binding = await bind(admin, {
    userId: gone.id,
    clusterId: clusters.get('one'),
    roleTemplateId: 'cluster-owner',
  });
  await server.ask(admin, 'DELETE', `/v3/clusterRoleTemplateBindings/${binding.id}`, undefined, 204);
  people.push({ name: 'owner of one until a moment ago', token: gone.token, into: [] });
  people.push({ name: 'user without a role', token: (await server.makeUser(admin, 'nobody')).token, into: [] });
  people.push({ name: 'nobody in particular', into: [] });
});
after(() => server?.[Symbol.asyncDispose]());

const bind = (admin: string, body: Record<string, unknown>) =>
  server.ask(admin, 'POST', '/v3/clusterRoleTemplateBindings', body);

function upgrade(path: string, token: string | undefined): Promise<number> {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const socket = new WebSocket(`${server.url.replace('https', 'wss')}${path}`, { headers, ca: server.ca });
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('unexpected-response', (_, answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    });
    socket.on('error', reject);
  });
}

const ask = async (method: string, path: string, token: string | undefined) =>
  (await server.fetch(method, path, { ...(token && { token }), ...(method === 'POST' && { body: {} }) })).status;

/** The ways into a cluster; what each answers to who is let in and to who is not. */
const doors: readonly {
  readonly name: string;
  readonly open: (id: string, token: string | undefined) => Promise<number>;
  readonly inside: number;
  readonly outside: number;
}[] = [
  ...['clusters', 'proxy'].flatMap(prefix => [
    {
      name: `GET /k8s/${prefix}`,
      open: (id: string, token: string | undefined) => ask('GET', `/k8s/${prefix}/${id}/api/v1/pods`, token),
      inside: 503,
      outside: 403,
    },
    {
      name: `exec by /k8s/${prefix}`,
      open: (id: string, token: string | undefined) =>
        upgrade(`/k8s/${prefix}/${id}/api/v1/namespaces/a/pods/b/exec?command=sh`, token),
      inside: 503,
      outside: 403,
    },
  ]),
  { name: 'its resource', open: (id, token) => ask('GET', `/v3/clusters/${id}`, token), inside: 200, outside: 404 },
  {
    name: 'its schemas',
    open: (id, token) => ask('GET', `/v3/cluster/${id}/schemas`, token),
    inside: 200,
    outside: 404,
  },
  { name: 'its nodes', open: (id, token) => ask('GET', `/v3/clusters/${id}/nodes`, token), inside: 200, outside: 404 },
  {
    name: 'its namespaces',
    open: (id, token) => ask('GET', `/v3/cluster/${id}/namespaces`, token),
    inside: 503,
    outside: 404,
  },
  {
    name: 'a kubeconfig of it',
    open: (id, token) => ask('POST', `/v3/clusters/${id}?action=generateKubeconfig`, token),
    inside: 200,
    outside: 404,
  },
  {
    name: 'its subscription',
    open: (id, token) => upgrade(`/v3/cluster/${id}/subscribe`, token),
    inside: 101,
    outside: 404,
  },
  {
    // It is opened to say that the cluster is away.
    name: 'a kubectl shell in it',
    open: (id, token) => upgrade(`/v3/clusters/${id}?shell=true`, token),
    inside: 101,
    outside: 404,
  },
];

for (const door of doors) {
  test(`${door.name}: opens to members of that cluster alone`, async () => {
    const got: Record<string, string | number> = {};
    const wanted: Record<string, string | number> = {};
    for (const { name, token, into } of people) {
      for (const [cluster, id] of clusters) {
        const status = await door.open(id, token);
        // A token for one cluster is refused before anything else is looked at.
        const refusals = token === undefined ? [401] : [door.outside, 401];
        got[`${name} → ${cluster}`] = status === door.inside ? 'in' : refusals.includes(status) ? 'out' : status;
        wanted[`${name} → ${cluster}`] = into.includes(cluster) ? 'in' : 'out';
      }
    }
    assert.deepEqual(got, wanted);
  });
}

test('no id that is not there opens anything, nor answers otherwise than one that is not one’s own', async () => {
  const stranger = people.find(({ name }) => name === 'user without a role')!;
  for (const door of doors) {
    const real = await door.open(clusters.get('one')!, stranger.token);
    for (const id of ['c-zzzzz', 'local', '..%2f..%2fc-zzzzz', `${clusters.get('one')}%00`, '*'])
      assert.ok([real, 400, 404].includes(await door.open(id, stranger.token)), `${door.name} of ${id}`);
  }
});
