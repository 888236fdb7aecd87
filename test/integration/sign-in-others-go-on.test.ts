/**
 * What is wrong with one sign-in provider is that one's alone: each way in which a directory that people sign in with can fail, told in
 * a coded message, while the other directory, GitHub's stand-in and local users go on as if nothing were.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@drover/base';
import { type ServerProcess, startServer } from '../server-process.ts';
import { freePort } from './kube-apiserver.ts';
import { startSilent } from './silent-server.ts';
import { account, groupDn, missingSlapd, personDn, type SlapdPeer, startSlapd, suffix } from './slapd-peer.ts';

describe('providers beside one that fails', { skip: missingSlapd() }, () => {
  let failing: SlapdPeer;
  let good: SlapdPeer;
  let server: ServerProcess;
  let admin: string;

  before(async () => {
    const people = [{ uid: 'ada' }, { uid: 'ben' }, { uid: 'eve' }];
    const content = { people, groups: { all: people.map(({ uid }) => personDn(uid)) } };
    [failing, good, server] = await Promise.all([
      startSlapd(content),
      startSlapd(content),
      startServer({ readyTimeoutMs: 60_000 }),
    ]);
    admin = await server.login();
    await enable('openldap', failing, 'ada');
    await enable('freeipa', good, 'ben');
  });
  after(async () => {
    for (const one of [server, failing, good]) await one?.[Symbol.asyncDispose]();
  });

  const config = ({ tlsPort, ca }: SlapdPeer) => ({
    servers: ['127.0.0.1'],
    port: tlsPort,
    tls: true,
    starttls: false,
    certificate: ca,
    serviceAccountDistinguishedName: account.dn,
    serviceAccountPassword: account.password,
    userSearchBase: `ou=people,${suffix}`,
    groupSearchBase: `ou=groups,${suffix}`,
    connectionTimeout: 700,
  });
  const enable = async (name: string, peer: SlapdPeer, username: string): Promise<void> => {
    const body = { ldapConfig: config(peer), username, password: `${username}-opens-1234`, enabled: true };
    await server.ask(admin, 'POST', `/v3/${name}configs/${name}?action=testAndApply`, body, 200);
  };
  const change = (more: object) => server.ask(admin, 'PUT', '/v3/openldapconfigs/openldap', more);
  const signIn = (name: 'openLdap' | 'freeIpa', username: string) =>
    server.fetch('POST', `/v3-public/${name}Providers/${name.toLowerCase()}?action=login`, {
      body: { username, password: `${username}-opens-1234` },
    });

  /** With what is wrong in force: it is told of, changes nobody's state, and the others are as they were. */
  async function failsAlone(what: RegExp, token: string, code = 'ProviderUnavailable'): Promise<void> {
    const began = performance.now();
    const { status, body } = await signIn('openLdap', 'eve');
    assert.deepEqual([status, body.code], [503, code], JSON.stringify(body));
    assert.match(body.message, what);
    assert.ok(!body.message.includes('127.0.0.1'), 'where it is, is told to nobody who has not signed in');
    assert.ok(performance.now() - began < 15_000, 'in time');
    assert.equal((await signIn('freeIpa', 'eve')).status, 201);
    assert.ok(await server.login());
    const search = { name: 'all', principalType: 'group' };
    const found = await server.ask(admin, 'POST', '/v3/principals?action=search', search, 200);
    assert.ok(found.data.some(({ id }: { id: string }) => id === `freeipa_group://${groupDn('all')}`));
    // Whoever was signed in by it still is: that it does not answer says nothing of him.
    const me = (await server.ask(token, 'GET', '/v3/users?me=true')).data[0];
    await server.fetch('POST', `/v3/users/${me.id}?action=refreshauthprovideraccess`, { token: admin, body: {} });
    assert.equal((await server.fetch('GET', '/v3/users?me=true', { token })).status, 200);
    assert.equal((await server.ask(admin, 'GET', '/v3/openldapconfigs/openldap')).enabled, true);
  }

  test('its account’s password is another, its server is down, says nothing, or shows a certificate that is over', async () => {
    const token = (await signIn('openLdap', 'eve')).body.token;
    await using silent = await startSilent();
    await using expired = await startSlapd({ people: [], groups: {}, days: -0.002 });
    const faults: [what: RegExp, more: object, code?: string][] = [
      [/service account/, { serviceAccountPassword: 'another' }, 'ServiceAccountRefused'],
      [/refuses connections/, { port: await freePort() }],
      [/does not answer/, { port: silent.port }],
      [/does not answer/, { port: silent.port, tls: false }],
      [/certificate has expired/, { port: expired.tlsPort, certificate: expired.ca }],
      [/certificate has expired/, { port: expired.port, certificate: expired.ca, tls: false, starttls: true }],
      [/certificate is not trusted/, { certificate: expired.ca }],
    ];
    for (const [what, more, code] of faults) {
      await change({ ...config(failing), ...more });
      await failsAlone(what, token, code);
    }
    await change(config(failing));
    assert.equal((await signIn('openLdap', 'eve')).status, 201, 'as soon as it is right again');
  });

  test('a connection that it has used is half open', async () => {
    const { token } = (await signIn('openLdap', 'eve')).body;
    failing.stop('SIGSTOP');
    try {
      await failsAlone(/does not answer/, token);
    } finally {
      failing.stop('SIGCONT');
    }
    await until('it is asked again', async () => (await signIn('openLdap', 'eve')).status === 201);
  });

  test('whoever loses his rights while a directory is asked for a name gives nothing by them', async () => {
    const cluster = await server.ask(admin, 'POST', '/v3/clusters', { name: 'given-away' });
    const binders = await server.ask(admin, 'POST', '/v3/roletemplates', {
      name: 'binders',
      context: 'cluster',
      rules: [
        { apiGroups: ['management.cattle.io'], resources: ['clusterroletemplatebindings'], verbs: ['create', 'get'] },
      ],
    });
    const giving = { clusterId: cluster.id, roleTemplateId: 'nodes-view' };
    const otto = await server.makeUser(admin, 'otto');
    const path = '/v3/clusterRoleTemplateBindings';
    const his = await server.ask(admin, 'POST', path, { ...giving, userId: otto.id });
    // Bindings are still his to make: what he gives is not.
    await server.ask(admin, 'POST', path, { ...giving, roleTemplateId: binders.id, userId: otto.id });
    const groupPrincipalId = `openldap_group://${groupDn('all')}`;
    const give = () => server.fetch('POST', path, { token: otto.token, body: { ...giving, groupPrincipalId } });
    await using silent = await startSilent();
    await change({ ...config(failing), port: silent.port, tls: false });
    const given = give();
    await until('the directory to be asked', async () => silent.connections > 0);
    await server.fetch('DELETE', `${path}/${his.id}`, { token: admin });
    const { status, body } = await given;
    assert.deepEqual([status, /don't have/.test(body.message)], [403, true], JSON.stringify(body));
    await change(config(failing));
    const { data } = await server.ask(admin, 'GET', `${path}?clusterId=${cluster.id}`);
    assert.ok(data.every((one: { groupPrincipalId?: string }) => !one.groupPrincipalId));
  });
});
