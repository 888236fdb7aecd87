/**
 * Signing in to a whole server with a real OpenLDAP, over LDAPS and StartTLS: whom it lets in and what he is, what it says of a
 * directory that can't be used, and that nothing anybody is called, or types, opens more.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '@drover/base';
import { fingerprint } from '@drover/engine';
import { type ServerProcess, startServer } from '../server-process.ts';
import { makeCommandLine } from './command-line.ts';
import { freePort } from './kube-apiserver.ts';
import { startSilent } from './silent-server.ts';
import { account, groupDn, missingSlapd, personDn, type SlapdPeer, startSlapd, suffix } from './slapd-peer.ts';

const off = 'employeeNumber: 2';
const hostile = ['a\\2cb \\28x\\29*\\29\\28uid=\\2a\\29', 'Gäste \\3cb\\3e&\\22', 'up\u202edown', '\\23first'];
const people = [
  { uid: 'ada', more: ['givenName: Ada', 'employeeNumber: 0'] },
  { uid: 'ben' },
  { uid: 'cleo' },
  { uid: 'eve' },
  { uid: 'dora', more: [off] },
  { uid: 'admin' },
  ...Array.from({ length: 5 }, (_, at) => ({ uid: `mass${at}` })),
];
const groups = {
  dev: [personDn('ada'), groupDn('all')],
  staff: [groupDn('dev')],
  // In a circle with those that are in it.
  all: [groupDn('staff')],
  others: [personDn('ben')],
  ...Object.fromEntries(hostile.map(cn => [cn, [personDn('cleo')]])),
};

describe('OpenLDAP', { skip: missingSlapd() }, () => {
  let directory: SlapdPeer;
  let server: ServerProcess;
  let admin: string;

  before(async () => {
    directory = await startSlapd({ people, groups });
    server = await startServer({ readyTimeoutMs: 60_000 });
    admin = await server.login();
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await directory?.[Symbol.asyncDispose]();
  });

  const config = (more: Record<string, unknown> = {}) => ({
    servers: ['127.0.0.1'],
    port: directory.tlsPort,
    tls: true,
    certificate: directory.ca,
    serviceAccountDistinguishedName: account.dn,
    serviceAccountPassword: account.password,
    userSearchBase: `ou=people,${suffix}`,
    groupSearchBase: `ou=groups,${suffix}`,
    nestedGroupMembershipEnabled: true,
    userEnabledAttribute: 'employeeNumber',
    userDisabledBitMask: 2,
    ...more,
  });
  const path = '/v3/openldapconfigs/openldap';
  const apply = (more: Record<string, unknown> = {}, who: Record<string, unknown> = {}) =>
    server.fetch('POST', `${path}?action=testAndApply`, {
      token: admin,
      body: { ldapConfig: config(more), username: 'ada', password: 'ada-opens-1234', enabled: true, ...who },
    });
  const signIn = (username: string, password = `${username}-opens-1234`) =>
    server.fetch('POST', '/v3-public/openLdapProviders/openldap?action=login', { body: { username, password } });
  const tokenOf = async (username: string): Promise<string> => {
    const answer = await signIn(username);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body.token;
  };
  const groupsOf = async (token: string): Promise<string[]> => {
    const { data } = await server.ask(token, 'GET', '/v3/principals');
    return data.map(({ id }: { id: string }) => id).filter((id: string) => id.includes('_group://'));
  };
  const refresh = async (token: string) => {
    const me = (await server.ask(token, 'GET', '/v3/users?me=true')).data[0];
    const answer = await server.fetch('POST', `/v3/users/${me.id}?action=refreshauthprovideraccess`, {
      token: admin,
      body: {},
    });
    return { me, answer };
  };
  const isOn = async () => (await server.ask(admin, 'GET', path)).enabled;

  test('what is configured wrongly is named, and switches nothing on', async () => {
    const wrong: [Record<string, unknown>, string, RegExp][] = [
      [{ servers: [] }, 'servers', /one server at least/],
      [{ servers: ['ldap://127.0.0.1'] }, 'servers', /without scheme/],
      [{ port: 70_000 }, 'port', /65535/],
      [{ starttls: true }, 'starttls', /one of them/],
      [{ certificate: 'no certificate' }, 'certificate', /PEM/],
      [{ serviceAccountDistinguishedName: '' }, 'serviceAccountDistinguishedName', /must be set/],
      [{ userSearchBase: 'people' }, 'userSearchBase', /distinguished name/],
      [{ userSearchBase: `ou=nowhere,${suffix}` }, 'userSearchBase', /is not there/],
      [{ userSearchFilter: '(uid=a' }, 'userSearchFilter', /filter such as/],
      [{ userLoginFilter: '(&(uid=a)' }, 'userLoginFilter', /filter such as/],
      [{ userLoginFilter: '(uid=a))(cn=b)' }, 'userLoginFilter', /parentheses/],
      [{ groupSearchFilter: 'no filter' }, 'groupSearchFilter', /filter such as/],
      [{ userLoginAttribute: 'uid)(cn=*' }, 'userLoginAttribute', /attribute/],
      [{ connectionTimeout: 'soon' }, 'connectionTimeout', /whole number/],
      [{ serviceAccountPassword: 'another' }, 'serviceAccountPassword', /does not take the service account/],
    ];
    for (const [more, field, message] of wrong) {
      const { status, body } = await apply(more);
      assert.deepEqual([status, body.fieldName], [422, field], `${field}: ${JSON.stringify(body)}`);
      assert.match(body.message, message);
    }
    const password = await apply({}, { password: 'another' });
    assert.deepEqual([password.status, password.body.fieldName], [422, 'password']);
    assert.equal(await isOn(), false);
    assert.equal((await signIn('ada')).status, 404, 'what is off is not there');
  });

  test('a server that is down, has an expired certificate, or takes connections and says nothing is told of', async () => {
    const down = await apply({ port: await freePort() });
    assert.deepEqual([down.status, down.body.code], [503, 'ProviderUnavailable']);
    assert.match(down.body.message, /"openldap" can't be reached: 127\.0\.0\.1:\d+: it refuses connections/);

    await using expired = await startSlapd({ people: [], groups: {}, days: -0.002 });
    for (const more of [{ port: expired.tlsPort }, { port: expired.port, tls: false, starttls: true }]) {
      const { body } = await apply({ ...more, certificate: expired.ca });
      assert.match(body.message, /its certificate has expired \(code CERT_HAS_EXPIRED\)/);
    }
    assert.match((await apply({ certificate: expired.ca })).body.message, /its certificate is not trusted/);
    const notTls = await apply({ port: directory.port });
    assert.match(
      notTls.body.message,
      /127\.0\.0\.1:\d+: it (?:ended the connection|does not speak TLS there|does not answer)/,
    );

    await using silent = await startSilent();
    for (const more of [{}, { tls: false, starttls: true }, { tls: false }]) {
      const { status, body } = await apply({ ...more, port: silent.port, connectionTimeout: 500 });
      assert.equal(status, 503);
      assert.match(body.message, /it does not answer/);
    }
    assert.equal(await isOn(), false);
  });

  test('it is on once it has worked for somebody, and shows no secret', async () => {
    // With a server before it that is down: the next is asked.
    const answer = await apply({ servers: ['127.0.0.99', '127.0.0.1'] });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(await isOn(), true);
    const shown = await server.ask(admin, 'GET', path);
    assert.ok(!JSON.stringify(shown).includes(account.password));
    assert.deepEqual(shown.servers, ['127.0.0.99', '127.0.0.1']);
    const { body } = await server.fetch('GET', '/v3-public/authProviders');
    const listed = body.data.find(({ id }: { id: string }) => id === 'openldap');
    assert.deepEqual([listed.type, Object.keys(listed.actions)], ['openLdapProvider', ['login']]);
    const me = (await server.ask(admin, 'GET', '/v3/users?me=true')).data[0];
    assert.ok(me.principalIds.includes(`openldap_user://${personDn('ada')}`), 'the tester keeps his way in');
  });

  test('somebody signs in with all groups that he is in, through others and through circles', async () => {
    const token = await tokenOf('ben');
    assert.deepEqual(await groupsOf(token), [`openldap_group://${groupDn('others')}`]);
    const me = (await server.ask(token, 'GET', '/v3/users?me=true')).data[0];
    assert.deepEqual(me.principalIds, [`local://${me.id}`, `openldap_user://${personDn('ben')}`]);
    assert.equal(me.name, 'ben of Drover');
    const own = await tokenOf('ada');
    const nested = ['dev', 'staff', 'all'].map(cn => `openldap_group://${groupDn(cn)}`);
    assert.deepEqual((await groupsOf(own)).sort(), nested.sort());
  });

  test('whatever is wrong with a sign-in, the answer is the same, and nothing that is typed is a filter', async () => {
    const answers = [
      await signIn('ada', 'wrong'),
      await signIn('nobody', 'wrong'),
      await signIn('ada', ''),
      await signIn('*', 'ada-opens-1234'),
      await signIn('ada)(objectClass=*', 'ada-opens-1234'),
      await signIn('cle*', 'cleo-opens-1234'),
      await signIn('\\61da', 'ada-opens-1234'),
      await signIn(personDn('ada'), 'ada-opens-1234'),
    ];
    const { id: _, ...same } = answers[0]!.body;
    for (const { status, body } of answers) {
      const { id: __, ...rest } = body;
      assert.deepEqual([status, rest], [401, same]);
    }
    const disabled = await signIn('dora');
    assert.deepEqual([disabled.status, disabled.body.code], [403, 'PermissionDenied']);
    assert.equal((await signIn('dora', 'wrong')).status, 401, 'only who knows the password learns that');
  });

  test('a person of the directory is nobody of this server, whatever he is called', async () => {
    const token = await tokenOf('admin');
    const me = (await server.ask(token, 'GET', '/v3/users?me=true')).data[0];
    const local = (await server.ask(admin, 'GET', '/v3/users?me=true')).data[0];
    assert.notEqual(me.id, local.id);
    assert.equal(
      (await server.fetch('GET', '/v3/settings/auth-token-max-ttl-minutes', { token })).body.links?.update,
      undefined,
    );
  });

  test('groups with names that were made to break something are groups like others, or none', async () => {
    const token = await tokenOf('cleo');
    const ids = await groupsOf(token);
    assert.equal(ids.length, 3, ids.join('\n'));
    assert.ok(
      ids.every(id => !id.includes('\u202e')),
      'no name turns the direction of writing around',
    );
    assert.ok(ids.some(id => id.includes('Gäste')));
    for (const id of ids) {
      const one = await server.fetch('GET', `/v3/principals/${encodeURIComponent(id)}`, { token: admin });
      assert.deepEqual([one.status, one.body.id, one.body.principalType], [200, id, 'group']);
    }
  });

  test('people and groups are found as somebody types, and what he types finds only what is called so', async () => {
    const search = async (name: string, principalType?: string): Promise<string[]> => {
      const answer = await server.fetch('POST', '/v3/principals?action=search', {
        token: admin,
        body: { name, principalType },
      });
      const ids = answer.body.data.map(({ id }: { id: string }) => id);
      return ids.filter((id: string) => id.startsWith('openldap_'));
    };
    assert.deepEqual(await search('ad', 'user'), [
      `openldap_user://${personDn('ada')}`,
      `openldap_user://${personDn('admin')}`,
    ]);
    assert.deepEqual(await search('taf'), [`openldap_group://${groupDn('staff')}`]);
    for (const name of ['*', ')(uid=*', '*)(objectClass=*', '\\2a', 'ad*', '(uid=ada)'])
      assert.ok((await search(name, 'user')).length === 0, name);
    const nowhere = encodeURIComponent(`openldap_user://${personDn('nobody')}`);
    assert.equal((await server.fetch('GET', `/v3/principals/${nowhere}`, { token: admin })).status, 404);
  });

  test('a group is named by its distinguished name, in whatever spelling, wherever something is given to it', async () => {
    const odd = `openldap_group://CN=Others , OU=Groups,${suffix.toUpperCase().replace(',', ', ')}`;
    const own = `openldap_group://${groupDn('others')}`;
    const search = async (name: string, principalType?: string): Promise<string[]> => {
      const body = { name, principalType };
      const answer = await server.fetch('POST', '/v3/principals?action=search', { token: admin, body });
      return answer.body.data.map(({ id }: { id: string }) => id);
    };
    for (const typed of [odd, groupDn('others').toUpperCase(), own])
      assert.deepEqual(await search(typed), [own], typed);
    assert.deepEqual(await search(personDn('ben').replaceAll(',', ' , ')), [`openldap_user://${personDn('ben')}`]);
    assert.deepEqual(await search(groupDn('others'), 'user'), []);

    const cluster = await server.ask(admin, 'POST', '/v3/clusters', { name: 'by-dn' });
    const project = await server.ask(admin, 'POST', '/v3/projects', { name: 'by-dn', clusterId: cluster.id });
    const given: [string, object][] = [
      ['clusterRoleTemplateBindings', { clusterId: cluster.id, roleTemplateId: 'cluster-member' }],
      ['projectRoleTemplateBindings', { projectId: project.id, roleTemplateId: 'project-owner' }],
      ['globalRoleBindings', { globalRoleId: 'settings-manage' }],
    ];
    for (const [type, what] of given) {
      const made = await server.ask(admin, 'POST', `/v3/${type}`, { ...what, groupPrincipalId: odd });
      assert.equal(made.groupPrincipalId, own);
    }
    const token = await tokenOf('ben');
    for (const path of [`clusters/${cluster.id}`, `projects/${project.id}`])
      assert.equal((await server.fetch('GET', `/v3/${path}`, { token })).status, 200, path);
    assert.ok((await server.ask(token, 'GET', '/v3/settings/server-url')).links.update, 'by the global role');
    const nobody = `openldap_group://${groupDn('not-yet')}`;
    const later = { clusterId: cluster.id, roleTemplateId: 'cluster-member', groupPrincipalId: nobody };
    assert.equal((await server.ask(admin, 'POST', '/v3/clusterRoleTemplateBindings', later)).groupPrincipalId, nobody);
    const person = {
      ...later,
      groupPrincipalId: null,
      userPrincipalId: `openldap_user://UID=Mass0, ou=people,${suffix}`,
    };
    const hers = await server.ask(admin, 'POST', '/v3/clusterRoleTemplateBindings', person);
    assert.equal(hers.userPrincipalId, `openldap_user://${personDn('mass0')}`);

    const lets = { accessMode: 'required', allowedPrincipalIds: [odd, `openldap_user://${personDn('ada')}`] };
    const put = await server.ask(admin, 'PUT', path, lets);
    assert.deepEqual(put.allowedPrincipalIds, [own, `openldap_user://${personDn('ada')}`]);
    await tokenOf('ben');
    assert.equal((await signIn('eve')).status, 403);
    await server.ask(admin, 'PUT', path, { accessMode: 'unrestricted', allowedPrincipalIds: [] });
  });

  test('groups that name their members by another attribute than the distinguished name are theirs too', async () => {
    const posix = `cn=posix,ou=groups,${suffix}`;
    await directory.change(client =>
      client.add(posix, { objectClass: 'posixGroup', cn: 'posix', gidNumber: '4711', memberUid: ['mass1', 'mass2'] }),
    );
    const by = {
      groupObjectClass: 'posixGroup',
      groupMemberMappingAttribute: 'memberUid',
      groupMemberUserAttribute: 'uid',
      groupSearchAttribute: 'gidNumber',
    };
    await server.ask(admin, 'PUT', path, { ...config(), ...by });
    assert.deepEqual(await groupsOf(await tokenOf('mass1')), [`openldap_group://${posix}`]);
    assert.deepEqual(await groupsOf(await tokenOf('mass3')), []);
    const body = { name: '4711', principalType: 'group' };
    const found = await server.ask(admin, 'POST', '/v3/principals?action=search', body, 200);
    assert.deepEqual([found.data.length, found.data[0].id], [1, `openldap_group://${posix}`]);
    await server.ask(admin, 'PUT', path, { ...Object.fromEntries(Object.keys(by).map(name => [name, ''])) });
    assert.deepEqual(await groupsOf(await tokenOf('ben')), [`openldap_group://${groupDn('others')}`]);
  });

  test('the command line asks for name and password of the provider that is named', async () => {
    await using drover = await makeCommandLine();
    const who = ['--username', 'ben', '--password-stdin', '--ca-fingerprint', fingerprint(server.ca)];
    const cli = ['login', server.url, '--provider', 'openldap', ...who];
    await drover.ok(cli, { input: 'ben-opens-1234\n' });
    assert.match(await drover.ok(['whoami']), /ben of Drover/);
    const wrong = await drover.run(cli, { input: 'another\n' });
    assert.notEqual(wrong.code, 0);
  });

  test('the command line finds a group by what it is called or by its distinguished name, and tells what it was given', async () => {
    await using drover = await makeCommandLine();
    await drover.ok(['login', server.url, '--token', admin, '--ca-fingerprint', fingerprint(server.ca)]);
    const id = `openldap_group://${groupDn('staff')}`;
    assert.match(await drover.ok(['groups', 'staf']), new RegExp(`${id}\\s+staff\\s+openldap`));
    const odd = id.replace('cn=staff,ou', 'CN=Staff, OU');
    await server.ask(admin, 'POST', '/v3/clusters', { name: 'told' });
    await drover.ok(['members', 'add', 'told', odd, '--role', 'cluster-owner']);
    await drover.ok(['roles', 'give', 'clusters-create', odd]);
    const told = await drover.ok(['groups', 'describe', odd]);
    assert.match(told, new RegExp(`id\\s+${id}`));
    assert.match(told, /c-\w+\s+cluster-owner/);
    assert.match(told, /the server\s+clusters-create/);
    const { principal, roles } = JSON.parse(await drover.ok(['groups', 'describe', odd, '-o', 'json']));
    assert.deepEqual([principal.id, roles.length], [id, 2]);
    await drover.ok(['members', 'set', 'told', odd, '--role', 'cluster-member']);
    await drover.ok(['members', 'remove', 'told', odd]);
    await drover.ok(['roles', 'take', 'clusters-create', odd]);
    assert.equal(JSON.parse(await drover.ok(['groups', 'describe', id, '-o', 'json'])).roles.length, 0);
    const nobody = `openldap_group://${groupDn('nowhere')}`;
    assert.match((await drover.run(['groups', 'describe', nobody])).stderr, /not found/);
  });

  test('the command line switches it on once it has let somebody in', async () => {
    await using drover = await makeCommandLine();
    await drover.ok(['login', server.url, '--token', admin, '--ca-fingerprint', fingerprint(server.ca)]);
    await drover.ok(['auth-providers', 'disable', 'openldap']);
    assert.equal(await isOn(), false);
    const file = join(drover.home, 'openldap.json');
    await writeFile(file, JSON.stringify(config()));
    const enable = ['auth-providers', 'enable', 'openldap', '--file', file, '-u', 'ada', '--password-stdin'];
    assert.match((await drover.run(enable, { input: 'another\n' })).stderr, /password/);
    assert.equal(await isOn(), false);
    await drover.ok(enable, { input: 'ada-opens-1234\n' });
    assert.equal(await isOn(), true);
  });

  test('a command line that waits offers the directory too, on the page that takes passwords', async () => {
    const waiting = `/dashboard/auth/login?requestId=${'a'.repeat(40)}&publicKey=x`;
    const { status, body } = await server.fetch('GET', waiting, { headers: { accept: 'text/html' } });
    assert.equal(status, 200);
    const to = encodeURIComponent(waiting);
    for (const name of ['openldap', 'local'])
      assert.ok(String(body).replaceAll('&amp;', '&').includes(`/ui/sign-in?provider=${name}&to=${to}`), String(body));
  });

  test('who leaves a group, or the directory, has left it here once groups are read again', async () => {
    const token = await tokenOf('ada');
    await directory.without(groupDn('all'), 'member', groupDn('staff')).catch(async () => {
      // The last member of a group can't leave it.
      await directory.change(client => client.del(groupDn('all')));
    });
    const before = await refresh(token);
    assert.equal(before.answer.status, 200, JSON.stringify(before.answer.body));
    assert.ok(!(await groupsOf(token)).includes(`openldap_group://${groupDn('all')}`));
    const ben = await tokenOf('ben');
    const bens = (await server.ask(ben, 'POST', '/v3/tokens', {})).token;
    await directory.change(client => client.del(personDn('ben')));
    await refresh(ben);
    for (const token of [ben, bens])
      assert.equal((await server.fetch('GET', '/v3/users?me=true', { token })).status, 401);
  });

  test('who is renamed or moved there stays who he is here, and who comes into his place is somebody else', async () => {
    const meOf = async (token: string) => (await server.ask(token, 'GET', '/v3/users?me=true')).data[0];
    const rename = (from: string, to: string) => directory.change(client => client.modifyDN(from, to));
    const token = await tokenOf('eve');
    const eve = await meOf(token);
    const cluster = await server.ask(admin, 'POST', '/v3/clusters', { name: 'hers' });
    const binding = await server.ask(admin, 'POST', '/v3/clusterRoleTemplateBindings', {
      clusterId: cluster.id,
      roleTemplateId: 'cluster-member',
      userPrincipalId: `openldap_user://${personDn('eve')}`,
    });
    const sees = async (token: string) => (await server.fetch('GET', `/v3/clusters/${cluster.id}`, { token })).status;
    assert.equal(await sees(token), 200);

    await rename(personDn('eve'), personDn('eva'));
    const { me, answer } = await refresh(token);
    assert.deepEqual([answer.status, me.id], [200, eve.id], JSON.stringify(answer.body));
    const moved = `openldap_user://${personDn('eva')}`;
    assert.deepEqual((await meOf(token)).principalIds, [`local://${eve.id}`, moved]);
    const bound = await server.ask(admin, 'GET', `/v3/clusterRoleTemplateBindings/${binding.id}`);
    assert.equal(bound.userPrincipalId, moved, 'what was given to her goes along');
    assert.equal(await sees(token), 200);

    // Before anybody has read her anew, and into another place.
    const elsewhere = `uid=eva,ou=groups,${suffix}`;
    await rename(personDn('eva'), personDn('evita'));
    await directory.change(client =>
      client.add(personDn('eva'), {
        objectClass: 'inetOrgPerson',
        uid: 'eva',
        cn: 'another',
        sn: 'eva',
        userPassword: 'eva-opens-1234',
      }),
    );
    const other = await tokenOf('eva');
    assert.notEqual((await meOf(other)).id, eve.id);
    assert.equal(await sees(other), 404, 'hers is not the other’s');
    assert.equal(await sees(token), 200, 'and is still hers');
    assert.equal((await signIn('evita', 'eve-opens-1234')).status, 201);
    assert.equal((await meOf(token)).principalIds[1], `openldap_user://${personDn('evita')}`);
    assert.equal(await sees(token), 200);
    // One who is gone, and whose name is given to somebody new.
    await directory.change(async client => {
      await client.del(personDn('eva'));
      await client.modifyDN(personDn('evita'), elsewhere);
    });
    await refresh(other);
    assert.equal((await server.fetch('GET', '/v3/users?me=true', { token: other })).status, 401);
    await refresh(token);
    assert.equal(
      (await server.fetch('GET', '/v3/users?me=true', { token })).status,
      401,
      'out of where people are looked for',
    );
  });

  test('a directory that stops answering is told of in time, others go on, and it is used again once it does', async () => {
    await apply({ connectionTimeout: 700 });
    await tokenOf('cleo');
    directory.stop('SIGSTOP');
    try {
      const { status, body } = await signIn('cleo');
      assert.deepEqual([status, body.code], [503, 'ProviderUnavailable']);
      assert.match(body.message, /"openldap" can't be asked now: it does not answer/);
      assert.ok(!body.message.includes('127.0.0.1'), 'where it is, is told to nobody who has not signed in');
      assert.ok(await server.login(), 'the local way in');
    } finally {
      directory.stop('SIGCONT');
    }
    await until('it is asked again', async () => (await signIn('cleo')).status === 201);
  });

  test('many at once are let in, over StartTLS too', async () => {
    const put = await server.fetch('PUT', path, {
      token: admin,
      body: { ...config(), tls: false, starttls: true, port: directory.port, connectionTimeout: 20_000 },
    });
    assert.equal(put.status, 200, JSON.stringify(put.body));
    const all = await Promise.all(Array.from({ length: 40 }, (_, at) => signIn(`mass${at % 5}`)));
    const refused = all.filter(({ status }) => status !== 201);
    assert.deepEqual(
      refused.map(({ body }) => body),
      [],
    );
  });

  test('only who is named may sign in where that is asked', async () => {
    const mode = (accessMode: string, allowedPrincipalIds: string[]) =>
      server.ask(admin, 'PUT', path, { accessMode, allowedPrincipalIds });
    await mode('required', [`openldap_group://${groupDn('dev')}`]);
    assert.equal((await signIn('cleo')).status, 403);
    await tokenOf('ada');
    await mode('restricted', []);
    assert.equal((await signIn('cleo')).status, 403, 'a member of nothing here');
    await mode('unrestricted', []);
    await tokenOf('cleo');
  });

  test('switched off, it is not there, and what was signed in by it is over', async () => {
    const session = await tokenOf('cleo');
    // What was made from it is worth no more than it.
    const made = (await server.ask(session, 'POST', '/v3/tokens', { description: 'a script' })).token;
    assert.equal((await server.fetch('GET', '/v3/users?me=true', { token: made })).status, 200);
    await server.ask(admin, 'POST', `${path}?action=disable`, {}, 200);
    for (const token of [session, made])
      assert.equal((await server.fetch('GET', '/v3/users?me=true', { token })).status, 401);
    assert.equal((await signIn('cleo')).status, 404);
    const direct = await server.fetch('POST', '/v1-public/login', {
      body: { type: 'openLdapProvider', username: 'cleo', password: 'cleo-opens-1234' },
    });
    assert.equal(direct.status, 404);
  });
});
