/** Journeys of those who run a cluster for others: who may do what, and what is used. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import type { Page } from 'playwright-core';
import { clustersSkipReason, startHosts } from '../hosts/index.ts';
import { account, missingSlapd, personDn, startSlapd, suffix } from '../integration/slapd-peer.ts';
import './web-failures.ts';
import { nodeSample, openMetrics, podSample } from './web-metrics.ts';
import { endVisit as end, missingWorld, openWorld, patienceMs, shop, type World } from './web-world.ts';

const skip = missingWorld() ?? false;
let world: World;
let dir: string;

before(async () => {
  if (skip) return;
  dir = await mkdtemp(join(tmpdir(), 'drover-web-manage-'));
  world = await openWorld({ args: ['--audit-log', join(dir, 'audit.log')] });
  const [space, account, ...rest] = shop('shop', 1);
  await world.apply(space!, account!);
  await world.apply(...rest);
});
after(async () => {
  await world?.[Symbol.asyncDispose]();
  if (dir) await rm(dir, { recursive: true, force: true });
});

const inCluster = (path = '') => `/ui/c/${world.clusterId}${path}`;
const asAdmin = (language = 'en') => world.visit({ token: world.admin, language });

test('a role is made, and somebody is found by his name and given it in a cluster', { skip }, async () => {
  const { server, admin, clusterId } = world;
  const mia = await server.makeUser(admin, 'mia-miller');
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto('/ui/roles');
  await page.getByRole('button', { name: 'Create a role' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Reads config');
  await dialog.getByLabel('list', { exact: true }).check();
  await dialog.getByLabel('Resources').fill('configmaps');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('button', { name: 'Reads config', exact: true }).click();
  await page.getByRole('dialog').getByRole('cell', { name: 'get, list' }).waitFor();
  await page.keyboard.press('Escape');
  await page.goto(inCluster('/members'));
  await page.getByRole('button', { name: 'Add a member' }).click();
  await dialog.getByLabel('Beginning of a name').fill('mia-mi');
  await dialog.getByRole('radio', { name: /mia-miller/ }).check();
  await dialog.getByLabel('Role').selectOption({ label: 'Reads config' });
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('row', { name: /mia-miller.*Reads config/ }).waitFor();
  const path = `/k8s/clusters/${clusterId}/v1/configmaps?pagesize=1`;
  await until(
    'her right to hold in the cluster',
    async () => (await server.fetch('GET', path, { token: mia.token })).status === 200,
    { timeoutMs: patienceMs },
  );
  await end(visit);
});

test('a cluster is made of hosts: what can not be a host is refused by its field, and a command brings the others', {
  skip,
}, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto('/ui/create-cluster');
  await page.getByLabel('Name').fill('on-hosts');
  await page.getByLabel('This server reaches them over SSH').check();
  await page.getByLabel('Address').fill('127.0.0.1');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  await page.getByLabel('Private key for SSH').fill(pem);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const refusal = page.getByRole('alert');
  await refusal.getByText('nodes[0].address').waitFor();
  await refusal.getByText('is this server itself').waitFor();
  await page.getByLabel('They come by themselves').check();
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Hosts' }).waitFor();
  // A server without the agent that hosts need says so; one that has it shows the command for it.
  const command = page.locator('pre').filter({ hasText: '--controlplane --worker' });
  const cause = page.getByText('has no agent for hosts yet');
  await command.or(cause).waitFor();
  if ((await cause.count()) === 0) {
    await page.getByLabel('control plane').uncheck();
    await page
      .locator('pre')
      .filter({ hasText: /--etcd --worker$/ })
      .waitFor();
  }
  await page.getByText('No host yet').waitFor();
  await page.getByText('it begins once there is a host for each role').waitFor();
  await end(visit);
});

test('on Chinese pages the server speaks Chinese, and its own words are to be had', { skip }, async () => {
  const visit = await asAdmin('zh-CN');
  const { page } = visit;
  await page.goto('/ui/create-cluster');
  await page.getByLabel('名称').fill('on-hosts-here');
  await page.getByLabel('由本服务器通过 SSH 连接').check();
  await page.getByLabel('地址').fill('127.0.0.1');
  await page.getByLabel('SSH 私钥').fill('none');
  await page.getByRole('button', { name: '创建', exact: true }).click();
  const refusal = page.getByRole('alert').getByText('nodes[0].address：127.0.0.1 是本服务器自身，或无法到达');
  assert.match((await refusal.getAttribute('title')) ?? '', /^127\.0\.0\.1 is this server itself/);
  await page.goto('/ui/import');
  await page.getByLabel('名称').fill('elsewhere');
  await page.getByRole('button', { name: '下一步：获取命令' }).click();
  await page.getByText('等待集群代理连接：请在该集群中应用导入清单').waitFor();
  const [, id] = /\/import\/(.+)/.exec(page.url())!;
  await page.goto(`/ui/c/${id}`);
  const cause = page.getByRole('listitem').filter({ hasText: '等待集群代理连接' });
  await cause.getByText('原文').click();
  await cause.getByText('waiting for the cluster’s agent to connect: apply').waitFor();
  await page.goto(`/ui/c/${id}/pods`);
  await page.getByRole('alert').getByText('集群“elsewhere”未连接：代理从未连接过；请在该集群中应用导入清单').waitFor();
  await page.goto('/ui/across/pods');
  await page.getByText('个当前无法查询').click();
  await page.getByText('集群“elsewhere”未连接').waitFor();
  await page.goto('/ui/roles?q=cluster+OWNER');
  await page.getByRole('button', { name: '集群所有者' }).waitFor();
  assert.equal(await page.getByRole('row').count(), 2);
  await visit.context.clearCookies();
  await page.goto('/ui/sign-in');
  await page.getByLabel('用户名').fill('admin');
  await page.getByLabel('密码').fill('not the password');
  await page.getByRole('button', { name: '登录' }).click();
  await page.getByRole('alert').getByText('用户名与密码不匹配。').waitFor();
  await end(visit);
});

test('a host that is not as it should be is told of with its real cause, where its cluster is made', {
  skip: skip || ((await clustersSkipReason()) ?? false),
}, async t => {
  await using hosts = await startHosts({ count: 1, signal: t.signal });
  const [host] = hosts.hosts;
  const nowhere = host!.address.replace(/\d+$/, '250');
  await host!.exec(['systemd-run', '--unit=squatter', 'socat', 'TCP-LISTEN:10250,fork', 'OPEN:/dev/null']);
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto('/ui/create-cluster');
  await page.getByLabel('Name').fill('not-ready');
  await page.getByLabel('This server reaches them over SSH').check();
  await page.getByRole('button', { name: 'Another host' }).click();
  for (const [at, address] of [host!.address, nowhere].entries())
    await page.getByLabel('Address').nth(at).fill(address);
  for (const role of ['control plane', 'etcd']) await page.getByLabel(role).nth(1).uncheck();
  await page.getByLabel('Private key for SSH').fill(hosts.privateKey);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const steps = page.getByRole('list').filter({ hasText: 'nothing was changed' });
  await steps.getByText(/10250\/tcp \(kubelet\) is in use by .*socat/).waitFor();
  await steps
    .getByText(new RegExp(nowhere.replaceAll('.', '\\.')))
    .first()
    .waitFor();
  const [, id] = /\/c\/([^/]+)\/hosts/.exec(page.url())!;
  await page.goto(`/ui/c/${id}`);
  await page
    .getByText(/nothing was changed/)
    .first()
    .waitFor();
  await page.getByRole('link', { name: 'Steps, and what the hosts say' }).click();
  await steps.waitFor();
  await end(visit);
});

test('what nodes and workloads use is drawn, from what the cluster measures', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/usage'));
  await page.getByRole('alert').waitFor();
  await openMetrics(world);
  await world.apply(
    nodeSample('node-1', '1500m', '2Gi'),
    podSample({ namespace: 'shop', workload: 'web' }, '250m', '64Mi'),
  );
  await page.goto(inCluster('/usage'));
  const cpu = page.getByRole('figure', { name: /CPU/ });
  await until(
    'the sample to be there',
    async () => {
      if ((await cpu.count()) > 0) return true;
      await page.getByRole('button', { name: 'Try again' }).click();
      return false;
    },
    { timeoutMs: 2 * patienceMs, everyMs: 2000 },
  );
  await cpu.getByRole('row', { name: 'node-1 1.5' }).waitFor();
  await page
    .getByRole('figure', { name: /Memory/ })
    .getByRole('row', { name: 'node-1 2 GiB' })
    .waitFor();
  await page.getByRole('button', { name: 'By workload' }).click();
  await cpu.getByRole('row', { name: 'shop/web 0.3' }).waitFor();
  const stranger = await world.server.makeUser(world.admin, 'no-member');
  const refused = await world.server.fetch('GET', `/v1-usage?clusterId=${world.clusterId}&by=node`, {
    token: stranger.token,
  });
  assert.equal(refused.status, 404);
  await end(visit);
});

test('a directory is configured, tried out and switched on, lets in who is named, and is switched off', {
  skip: skip || missingSlapd(),
}, async () => {
  await using directory = await startSlapd({
    people: [{ uid: 'ada' }, { uid: 'ben' }, { uid: 'cleo' }],
    groups: { dev: [personDn('ada')] },
  });
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto('/ui/providers');
  await page.getByRole('link', { name: 'OpenLDAP' }).click();
  await page.getByRole('heading', { level: 1, name: 'OpenLDAP' }).waitFor();
  await page.getByLabel('Servers').fill('127.0.0.1');
  await page.getByLabel('Port').fill(String(directory.tlsPort));
  await page.getByRole('checkbox', { name: 'TLS', exact: true }).check();
  await page.getByLabel('CA certificate').fill(directory.ca);
  await page.getByLabel('Service account (distinguished name)').fill(account.dn);
  await page.getByLabel('Password of the service account').fill('another');
  await page.getByLabel('People are below').fill(`ou=people,${suffix}`);
  await page.getByLabel('Groups are below').fill(`ou=groups,${suffix}`);
  await page.getByLabel('User name', { exact: true }).fill('ada');
  await page.getByLabel('Password', { exact: true }).fill('ada-opens-1234');
  const test = page.getByRole('button', { name: 'Test and switch on' });
  await test.click();
  await page.getByRole('alert').getByText('serviceAccountPassword').waitFor();
  await page.getByLabel('Password of the service account').fill(account.password);
  await test.click();
  await page.getByText('OpenLDAP works and is on.').waitFor();
  await page.getByRole('radio', { name: 'Only those named below' }).check();
  await page.getByRole('button', { name: 'Name somebody' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Beginning of a name').fill('be');
  await dialog.getByRole('radio', { name: /ben of Drover/ }).check();
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('button', { name: 'No longer name ben of Drover' }).waitFor();

  const guest = await world.visit();
  await guest.page.goto('/ui/sign-in');
  await guest.page.getByText('OpenLDAP', { exact: true }).click();
  await signIn(guest.page, 'cleo');
  await guest.page.getByRole('alert').getByText('not among those that may sign in').waitFor();
  await signIn(guest.page, 'ben');
  await guest.page.getByRole('heading', { level: 1, name: 'Clusters' }).waitFor();

  await page.getByRole('button', { name: 'Switch off' }).click();
  await dialog.getByRole('button', { name: 'Switch off' }).click();
  await page.getByRole('button', { name: 'Test and switch on' }).waitFor();
  await guest.page.goto('/ui/users');
  await guest.page.getByRole('heading', { name: 'Sign in to Drover' }).waitFor();
  await end(guest);
  await end(visit);
});

test('the page for signing in has a form for each directory, and leads to providers elsewhere', {
  skip: skip || missingSlapd(),
}, async () => {
  await using directory = await startSlapd({ people: [{ uid: 'dora' }, { uid: 'eve' }], groups: {} });
  const { server, admin } = world;
  const same = {
    servers: ['127.0.0.1'],
    port: directory.tlsPort,
    tls: true,
    certificate: directory.ca,
    serviceAccountPassword: account.password,
    userSearchBase: `ou=people,${suffix}`,
    accessMode: 'unrestricted',
    allowedPrincipalIds: [],
  };
  const asActive = { userObjectClass: 'inetOrgPerson', userLoginAttribute: 'uid', userNameAttribute: 'cn' };
  const both = {
    openldap: { ldapConfig: { ...same, serviceAccountDistinguishedName: account.dn } },
    freeipa: { ldapConfig: { ...same, serviceAccountDistinguishedName: account.dn, userNameAttribute: 'cn' } },
    activedirectory: { activeDirectoryConfig: { ...same, ...asActive, serviceAccountUsername: account.dn } },
  };
  const proof = { username: 'dora', password: 'dora-opens-1234', enabled: true };
  for (const [name, config] of Object.entries(both))
    await server.ask(admin, 'POST', `/v3/authconfigs/${name}?action=testAndApply`, { ...config, ...proof }, 200);
  const github = { clientId: 'an-app', clientSecret: 'canary', hostname: 'github.com', tls: true, enabled: true };
  await server.ask(admin, 'PUT', '/v3/githubconfigs/github', { accessMode: 'unrestricted', ...github }, 200);
  for (const name of ['OpenLDAP', 'FreeIPA', 'Active Directory']) {
    const visit = await world.visit();
    const { page } = visit;
    await page.goto('/ui/sign-in?to=%2Ftokens');
    const leads = await page.getByRole('link', { name: 'Sign in with GitHub' }).getAttribute('href');
    const { status, headers } = await server.fetch('GET', leads!);
    assert.deepEqual([leads, status], ['/v1-auth/github?returnTo=%2Fui%2Ftokens', 303]);
    assert.match(String(headers['location']), /^https:\/\/github\.com\/login\/oauth\/authorize\?.*client_id=an-app/);
    await page.getByText(name, { exact: true }).click();
    await signIn(page, 'eve', 'wrong');
    await page.getByRole('alert').getByText('do not belong together').waitFor();
    await signIn(page, 'eve');
    await page.getByRole('heading', { level: 1, name: 'API keys' }).waitFor();
    await end(visit);
  }
  for (const name of [...Object.keys(both), 'github'])
    await server.ask(admin, 'POST', `/v3/authconfigs/${name}?action=disable`, {}, 200);
});

test('who did what is found by its filters, and told to nobody but administrators', { skip }, async () => {
  const { server, admin } = world;
  const rita = await server.makeUser(admin, 'rita-reader');
  const refused = await server.fetch('POST', '/v3/users', {
    token: rita.token,
    body: { username: 'no', password: 'x' },
  });
  assert.equal(refused.status, 403);
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto('/ui/');
  await page.getByRole('link', { name: 'Audit log' }).click();
  await page
    .getByRole('row', { name: /admin Created users\b.*Done 201/ })
    .first()
    .waitFor();
  await page.getByLabel('Outcome').selectOption('refused');
  await page.getByLabel('User', { exact: true }).fill('rita');
  const row = page.getByRole('row', { name: /rita-reader Created users\b.*Refused 403/ });
  await row.waitFor();
  await until('hers alone to be shown', async () => (await page.getByRole('row').count()) === 2);
  assert.match(page.url(), /outcome=refused/);
  await row.getByRole('button').click();
  await page.getByRole('dialog').getByText('"requestURI": "/v3/users"').waitFor();
  await end(visit);
  const hers = await world.visit({ token: rita.token });
  await hers.page.goto('/ui/');
  await hers.page.getByRole('link', { name: 'API keys' }).waitFor();
  assert.equal(await hers.page.getByRole('link', { name: 'Audit log' }).count(), 0);
  await hers.page.goto('/ui/audit');
  await hers.page.getByRole('alert').getByText('may not read the audit log').waitFor();
  await end(hers);
});

test('what happened is kept: warnings and changes with their fields, for who may list them now', { skip }, async () => {
  const { server, admin, clusterId } = world;
  const past = async (token: string, query = '') =>
    (await server.ask(token, 'GET', `/v1-history?clusterId=${clusterId}&limit=200${query}`, undefined, 200)).data as {
      readonly kind: string;
      readonly what?: string;
    }[];
  await world.apply({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'web-0.1', namespace: 'shop' },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web-0' },
    type: 'Warning',
    reason: 'BackOff',
    message: 'Back-off restarting failed container',
    lastTimestamp: new Date().toISOString(),
  });
  let replicas = 3;
  await until(
    'a change to be kept',
    async () => {
      await world.kubectl('scale', '-n', 'shop', 'deployment/web', `--replicas=${replicas++}`);
      const data = JSON.stringify({ data: { round: String(replicas) } });
      await world.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'rounds', namespace: 'shop' } });
      await world.kubectl('patch', 'configmap', 'rounds', '-n', 'shop', '-p', data);
      const changed = (await past(admin)).filter(({ what }) => what === 'changed').map(({ kind }) => kind);
      return changed.includes('Deployment') && changed.includes('ConfigMap');
    },
    { timeoutMs: 2 * patienceMs, everyMs: 3000 },
  );
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster());
  const timeline = page.getByRole('region', { name: 'Timeline' });
  await timeline
    .getByRole('listitem')
    .filter({ hasText: 'Deployment web was changed' })
    .filter({ hasText: 'spec.replicas' })
    .first()
    .waitFor();
  await timeline.getByRole('button', { name: 'Warnings' }).click();
  await timeline.getByText('Back-off restarting failed container').waitFor();
  await timeline.getByText('spec.replicas').waitFor({ state: 'detached' });
  await page.goto(inCluster('/apps.deployments/shop/web'));
  const waiting = page.getByRole('status').filter({ hasText: 'On its way for' });
  await waiting.getByRole('button', { name: 'Logs' }).waitFor();
  await waiting.getByRole('button', { name: 'Timeline' }).click();
  await timeline.getByText('Back-off restarting failed container').waitFor();
  await timeline.getByLabel('Find in the timeline').fill('no such thing');
  await page.getByText('Nothing that fits').waitFor();
  await end(visit);
  const reader = await server.makeUser(admin, 'past-reader');
  const none = await server.fetch('GET', `/v1-history?clusterId=${clusterId}`, { token: reader.token });
  assert.equal(none.status, 404);
  const [role] = (await server.ask(admin, 'GET', '/v3/roletemplates?name=Reads config')).data;
  const binding = { clusterId, userId: reader.id, roleTemplateId: role.id };
  await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', binding);
  await until('her right to hold', async () => (await past(reader.token)).length > 0, { timeoutMs: patienceMs });
  const kinds = new Set((await past(reader.token)).map(({ kind }) => kind));
  assert.deepEqual([...kinds], ['ConfigMap']);
});

test('what belongs together is a map that keys go through, and a list that says the same', { skip }, async () => {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const spec = { rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] };
  const namespace = 'shop';
  await world.apply(
    { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'front', namespace }, spec },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    },
  );
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster());
  await page.getByRole('link', { name: 'Resource map' }).click();
  const group = page.getByRole('region', { name: 'Ingress front and what belongs to it' });
  await group.getByRole('link', { name: /Ingress.*front/ }).focus();
  for (const next of [/Service.* web$/, /Pod.* web-0$/]) {
    await page.keyboard.press('ArrowRight');
    const focused = await page.evaluate('document.activeElement.innerText');
    assert.match(String(focused).replace(/\s+/g, ' '), next);
  }
  await page.getByRole('button', { name: 'List', exact: true }).click();
  await page.getByRole('row', { name: 'Ingress front leads to Service web' }).waitFor();
  await page.getByRole('row', { name: 'Service web selects Pod web-0' }).waitFor();
  assert.match(page.url(), /view=list/);
  await page.getByRole('link', { name: 'Pod web-0' }).click();
  await page.getByRole('heading', { level: 1, name: 'web-0' }).waitFor();
  await end(visit);
});

test('a line of a log can be pointed to, and a range of time be looked at', { skip }, async () => {
  const { kubelet } = world;
  const visit = await asAdmin();
  const { page } = visit;
  for (let at = 0; at < 200; at++) kubelet.log('web-0', `line number ${at}`);
  await page.goto(inCluster('/pods/shop/web-0?tab=logs&tail=1000'));
  const log = page.getByRole('log');
  await log.getByText('line number 199').waitFor();
  await page.getByRole('searchbox').fill('number 7');
  const line = log.locator('.log-line').filter({ hasText: /number 7$/ });
  await line.getByRole('button').click();
  await page.getByText('the address leads here').waitFor();
  await page.getByRole('searchbox').fill('');
  const address = page.url();
  await end(visit);
  const another = await asAdmin();
  await another.page.goto(address);
  const pointed = another.page.locator('.log-line[aria-current]');
  await pointed.getByText(/number 7$/).waitFor();
  await another.page.getByRole('button', { name: 'Back to now' }).click();
  await another.page.getByLabel('From when').selectOption('5');
  await another.page.getByRole('log').getByText('line number 199').waitFor();
  await another.page.waitForURL(/range=5/);
  await end(another);
});

test('a cluster has a colour, a banner and a group, for all who reach it', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster());
  await page.getByRole('button', { name: 'Look', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('red').check();
  await dialog.getByLabel('Banner').fill('Production');
  await dialog.getByLabel('Group').fill('Shops');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.locator('.cluster-banner.hue-red').getByText('Production').waitFor();
  await page.goto('/ui/');
  await page.getByRole('rowheader', { name: 'Shops' }).waitFor();
  await page.getByLabel('Filter by name').fill('shops');
  await page.getByRole('link', { name: 'test', exact: true }).waitFor();
  await page.goto(inCluster('/pods'));
  await page.locator('.cluster-banner').getByText('Production').waitFor();
  await end(visit);
  const mia = await world.server.login('mia-miller', 'mia-miller-password-1234');
  const hers = await world.visit({ token: mia });
  await hers.page.goto(inCluster());
  await hers.page.locator('.cluster-banner').getByText('Production').waitFor();
  await hers.page.getByRole('button', { name: 'Check the connection' }).waitFor();
  assert.equal(await hers.page.getByRole('button', { name: 'Look', exact: true }).count(), 0);
  await end(hers);
});

async function signIn(page: Page, name: string, password = `${name}-opens-1234`): Promise<void> {
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}
