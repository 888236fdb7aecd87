/**
 * Signing in to a whole server with a real Active Directory of many people: by each of the names that they have there, with groups
 * in groups, found as somebody types.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Attribute, Change, Client } from 'ldapts';
import { type ServerProcess, startServer } from '../server-process.ts';
import {
  administrator,
  base,
  groupDn,
  missingSamba,
  passwordOf,
  realm,
  type SambaPeer,
  startSamba,
  userDn,
} from './samba-peer.ts';

/** As many as a big company has. */
const crowd = 5000;
const crowdNames = Array.from({ length: crowd }, (_, at) => `user${String(at).padStart(4, '0')}`);
/** More than the pages that answers come in. */
const many = 620;

const users = [
  {
    name: 'ada',
    hasPassword: true,
    more: [`userPrincipalName: ada.l@${realm}`, 'displayName: Ada L.', 'givenName: Ada', 'sn: Lovelace'],
  },
  { name: 'ben', hasPassword: true, more: [`userPrincipalName: ben@${realm}`] },
  { name: 'dora', hasPassword: true },
  { name: 'busy', hasPassword: true },
  ...crowdNames.map(name => ({ name })),
];
const groups = {
  everybody: [...crowdNames, 'ada', 'busy'].map(userDn),
  company: [groupDn('everybody')],
  holding: [groupDn('company')],
  'odd (name)*': [userDn('ben')],
  ...Object.fromEntries(Array.from({ length: many }, (_, at) => [`club${at}`, [userDn('busy')]])),
};

describe('Active Directory', { skip: missingSamba(), timeout: 600_000 }, () => {
  let directory: SambaPeer;
  let server: ServerProcess;
  let admin: string;

  before(async () => {
    [directory, server] = await Promise.all([startSamba({ users, groups }), startServer({ readyTimeoutMs: 60_000 })]);
    admin = await server.login();
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await directory?.[Symbol.asyncDispose]();
  });

  const path = '/v3/activedirectoryconfigs/activedirectory';
  const config = (more: Record<string, unknown> = {}) => ({
    servers: [directory.address],
    port: 636,
    tls: true,
    certificate: directory.ca,
    serviceAccountUsername: administrator.name,
    serviceAccountPassword: administrator.password,
    defaultLoginDomain: 'DROVER',
    userSearchBase: `OU=People,${base}`,
    groupSearchBase: `OU=Groups,${base}`,
    nestedGroupMembershipEnabled: true,
    connectionTimeout: 20_000,
    ...more,
  });
  const signIn = (username: string, password: string) =>
    server.fetch('POST', '/v3-public/activeDirectoryProviders/activedirectory?action=login', {
      body: { username, password },
    });
  const tokenOf = async (username: string, name = username): Promise<string> => {
    const answer = await signIn(username, passwordOf(name));
    assert.equal(answer.status, 201, `${username}: ${JSON.stringify(answer.body)}`);
    return answer.body.token;
  };
  const principalsOf = async (token: string): Promise<string[]> =>
    (await server.ask(token, 'GET', '/v3/principals')).data.map(({ id }: { id: string }) => id);
  const meOf = async (token: string) => (await server.ask(token, 'GET', '/v3/users?me=true')).data[0];
  const refresh = (id: string) =>
    server.fetch('POST', `/v3/users/${id}?action=refreshauthprovideraccess`, { token: admin, body: {} });
  const asAdministrator = async (work: (client: Client) => Promise<void>): Promise<void> => {
    await using client = new Client({
      url: `ldaps://${directory.address}`,
      tlsOptions: { ca: directory.ca },
      timeout: 60_000,
    });
    await client.bind(`CN=Administrator,CN=Users,${base}`, administrator.password);
    await work(client);
  };
  const setControl = (name: string, value: string) =>
    asAdministrator(client => {
      const modification = new Attribute({ type: 'userAccountControl', values: [value] });
      return client.modify(userDn(name), new Change({ operation: 'replace', modification }));
    });

  test('it is tested with somebody and on, and the page learns which domain goes before names', async () => {
    const apply = (more: Record<string, unknown>) =>
      server.fetch('POST', `${path}?action=testAndApply`, {
        token: admin,
        body: { activeDirectoryConfig: config(more), username: 'ada', password: passwordOf('ada'), enabled: true },
      });
    const wrong = await apply({ serviceAccountPassword: 'another' });
    assert.deepEqual([wrong.status, wrong.body.fieldName], [422, 'serviceAccountPassword']);
    const answer = await apply({});
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const { body } = await server.fetch('GET', '/v3-public/activeDirectoryProviders/activedirectory');
    assert.deepEqual([body.type, body.defaultLoginDomain], ['activeDirectoryProvider', 'DROVER']);
  });

  test('somebody is the same by each of his names, and in all groups that hold his', async () => {
    const names = ['ben', 'DROVER\\ben', `ben@${realm}`, 'BEN'];
    const ids = new Set<string>();
    for (const name of names) ids.add((await meOf(await tokenOf(name, 'ben'))).id);
    assert.equal(ids.size, 1);
    // The same name before the @ as somebody else's account: who is meant is who has the principal name.
    const me = await meOf(await tokenOf(`ada.l@${realm}`, 'ada'));
    assert.ok(me.principalIds.includes(`activedirectory_user://${userDn('ada')}`), me.principalIds.join());
    const token = await tokenOf('ada');
    const groupIds = (await principalsOf(token)).filter(id => id.startsWith('activedirectory_group://'));
    const expected = ['everybody', 'company', 'holding'].map(name => `activedirectory_group://${groupDn(name)}`);
    assert.deepEqual(groupIds.sort(), expected.sort());
  });

  test('a wrong password, nobody, and what would be a filter are refused in the same words', async () => {
    for (const [name, password] of [
      ['ada', 'wrong'],
      ['nobody', 'wrong'],
      ['ada', ''],
      ['DROVER\\', 'wrong'],
      ['ad*', passwordOf('ada')],
      ['ada)(objectClass=*', passwordOf('ada')],
      [`*@${realm}`, passwordOf('ben')],
    ] as const) {
      const { status, body } = await signIn(name, password);
      assert.deepEqual([status, body.message], [401, 'authentication failed'], name);
    }
  });

  test('groups come over as many pages as there are', async () => {
    const ids = (await principalsOf(await tokenOf('busy'))).filter(id => id.includes('CN=club'));
    assert.equal(ids.length, many);
  });

  test(`among ${crowd} people somebody is found while he is typed`, async () => {
    const search = async (name: string, principalType?: string) => {
      const answer = await server.fetch('POST', '/v3/principals?action=search', {
        token: admin,
        body: { name, principalType },
      });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return answer.body.data.filter(({ provider }: { provider: string }) => provider === 'activedirectory');
    };
    const last = crowdNames.at(-1)!;
    assert.deepEqual(
      (await search(last)).map(({ id, loginName }: { id: string; loginName: string }) => [id, loginName]),
      [[`activedirectory_user://${userDn(last)}`, last]],
    );
    assert.equal((await search('user')).length, 50, 'no more than anybody reads');
    assert.equal((await search('Lovel', 'user')).length, 1, 'by another of his names');
    assert.deepEqual(
      (await search('hold', 'group')).map(({ name }: { name: string }) => name),
      ['holding'],
    );
    for (const name of ['*', 'user*', ')(cn=*', '\\2a']) assert.deepEqual(await search(name), [], name);
  });

  test('a group with a name like a filter is a group like any other', async () => {
    const ids = await principalsOf(await tokenOf('ben'));
    assert.ok(ids.includes(`activedirectory_group://${groupDn('odd (name)*')}`), ids.join());
  });

  test('who is called otherwise there is the same here', async () => {
    const token = await tokenOf('dora');
    const { id } = await meOf(token);
    const married = `CN=Dora Married,OU=People,${base}`;
    await asAdministrator(client => client.modifyDN(userDn('dora'), married));
    assert.equal((await refresh(id)).status, 200);
    assert.equal((await meOf(token)).principalIds[1], `activedirectory_user://${married}`);
    assert.equal((await meOf(await tokenOf('dora'))).id, id);
    await asAdministrator(client => client.modifyDN(married, userDn('dora')));
    assert.equal((await meOf(await tokenOf('dora'))).id, id);
  });

  test('who is disabled there is signed out here once that is seen, and is let in when he is enabled again', async () => {
    const token = await tokenOf('dora');
    const { id } = await meOf(token);
    assert.equal((await refresh(id)).status, 200);
    await setControl('dora', '514');
    assert.equal((await refresh(id)).status, 200);
    assert.equal((await server.fetch('GET', '/v3/users?me=true', { token })).status, 401);
    assert.equal((await signIn('dora', passwordOf('dora'))).status, 401);
    await setControl('dora', '512');
    await tokenOf('dora');
  });

  test('a role of a group is its members’, until they have left it', async () => {
    const clusterId = (await server.ask(admin, 'POST', '/v3/clusters', { type: 'cluster', name: 'shared' })).id;
    await server.ask(admin, 'POST', '/v3/clusterRoleTemplateBindings', {
      clusterId,
      roleTemplateId: 'cluster-member',
      groupPrincipalId: `activedirectory_group://${groupDn('holding')}`,
    });
    const token = await tokenOf('busy');
    const sees = async () => (await server.fetch('GET', `/v3/clusters/${clusterId}`, { token })).status;
    assert.equal(await sees(), 200);
    await asAdministrator(client => {
      const modification = new Attribute({ type: 'member', values: [userDn('busy')] });
      return client.modify(groupDn('everybody'), new Change({ operation: 'delete', modification }));
    });
    await refresh((await meOf(token)).id);
    assert.equal(await sees(), 404);
  });
});
