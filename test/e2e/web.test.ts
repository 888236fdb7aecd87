/** Journeys through the UI as people make them, on a real server with a real cluster, in a real browser. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { adminPassword } from '../server-process.ts';
import './web-failures.ts';
import { endVisit as end, missingWorld, openWorld, patienceMs, pod, shop, type World } from './web-world.ts';

const skip = missingWorld() ?? false;
let world: World;

before(async () => {
  if (skip) return;
  world = await openWorld();
  // The service account must be there before pods are.
  const [space, account, ...rest] = shop('shop', 3);
  await world.apply(space!, account!);
  await world.apply(...rest);
});
after(async () => world?.[Symbol.asyncDispose]());

const inCluster = (path = '') => `/ui/c/${world.clusterId}${path}`;
const asAdmin = (options: { language?: string; dark?: boolean; width?: number } = {}) =>
  world.visit({ token: world.admin, ...options });

test('who comes to the server is asked to sign in, told when he is wrong, and led where he wanted to go', {
  skip,
}, async () => {
  const visit = await world.visit();
  const { page } = visit;
  await page.goto('/');
  await page.getByRole('heading', { name: 'Sign in to Drover' }).waitFor();
  await page.goto(inCluster('/pods?q=web'));
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('do not belong together').waitFor();
  await page.getByLabel('Password').fill(adminPassword);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('grid').getByText('web-0').waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, inCluster('/pods?q=web'));
  await end(visit);
});

test('a first sign-in asks for a password of one’s own and for the address of the server', { skip }, async () => {
  const { server, admin } = world;
  const password = 'the first one given';
  const user = await server.ask(admin, 'POST', '/v3/users', {
    username: 'newcomer',
    password,
    mustChangePassword: true,
  });
  await server.ask(admin, 'POST', '/v3/globalRoleBindings', { globalRoleId: 'admin', userId: user.id });
  const visit = await world.visit();
  const { page } = visit;
  await page.goto('/ui/');
  await page.getByLabel('User name').fill('newcomer');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('Current password').fill(password);
  await page.getByLabel('New password for newcomer').fill('a password of my own');
  await page.getByLabel('New password again').fill('another password');
  await page.getByRole('button', { name: 'Save and start' }).click();
  await page.getByText('The two passwords differ.').waitFor();
  await page.getByLabel('New password again').fill('a password of my own');
  assert.equal(await page.getByLabel('Address of this server').inputValue(), server.url);
  await page.getByRole('button', { name: 'Save and start' }).click();
  await page.getByRole('heading', { name: 'Clusters' }).waitFor();
  assert.equal((await server.ask(admin, 'GET', '/v3/settings/server-url')).value, server.url);
  await server.login('newcomer', 'a password of my own');
  await end(visit);
});

test('home shows the clusters with their state, and what is pinned stays pinned', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto('/ui/');
  const row = page.getByRole('row', { name: /test/ });
  await row.getByText('Active').waitFor();
  await row.getByRole('button', { name: 'Pin test' }).click();
  await page.reload();
  await page.getByRole('button', { name: 'Unpin test' }).waitFor();
  await page.getByRole('searchbox').fill('nothing like it');
  await page.getByText('No cluster matches').waitFor();
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await row.getByRole('link', { name: 'test' }).click();
  await page.getByRole('heading', { level: 1, name: 'test' }).waitFor();
  await end(visit);
});

test('a list changes by itself as the cluster does', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/pods?ns=shop'));
  const grid = page.getByRole('grid');
  await grid.getByText('web-0').waitFor();
  await world.apply(pod('shop', 'late'));
  await grid.getByText('late').waitFor();
  await world.kubectl('delete', 'pod', '-n', 'shop', 'late', '--force', '--grace-period=0');
  await grid.getByText('late').waitFor({ state: 'detached' });
  await end(visit);
});

test('filter, order and state are in the address, and a copied link shows the same', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/pods'));
  await page.getByRole('searchbox', { name: 'Filter by name' }).fill('web-1');
  const rows = page.getByRole('grid').getByRole('row');
  await until('one row', async () => (await rows.count()) === 2, { timeoutMs: patienceMs });
  await page.getByRole('searchbox', { name: 'Filter by name' }).fill('web');
  await page.getByRole('button', { name: 'Name', exact: true }).click();
  await until('the last first', async () => /web-2/.test((await rows.nth(1).textContent()) ?? ''), {
    timeoutMs: patienceMs,
  });
  const copied = await asAdmin();
  await copied.page.goto(page.url());
  await copied.page.getByRole('grid').getByText('web-2').waitFor();
  assert.match((await copied.page.getByRole('grid').getByRole('row').nth(1).textContent()) ?? '', /web-2/);
  await end(copied);
  await end(visit);
});

test('a manifest is applied, the connection is examined from its other end, and deprecated APIs are named', {
  skip,
}, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster());
  await page.getByRole('button', { name: 'Apply YAML' }).click();
  const manifest = ['a', 'b']
    .map(name => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied-${name}}\n`)
    .join('---\n');
  await page.getByLabel('Manifest').fill(manifest);
  await page.getByLabel('Namespace for those').selectOption('shop');
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await page.getByRole('status').getByText('applied-b').waitFor();
  await world.kubectl('get', 'cm', '-n', 'shop', 'applied-a', 'applied-b');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Check the connection' }).click();
  await page.getByText('API of the cluster').waitFor();
  await page.keyboard.press('Escape');
  await world.kubectl('get', '--raw', '/api/v1/componentstatuses');
  await page.getByRole('button', { name: 'Deprecated APIs' }).click();
  await page.getByRole('dialog').getByText('componentstatuses, v1').waitFor();
  await end(visit);
});

test('a long list is there to its end', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  const path = `/k8s/clusters/${world.clusterId}/api/v1/namespaces/shop/configmaps`;
  const names = Array.from({ length: 250 }, (_, i) => `long-${String(i).padStart(3, '0')}`);
  await Promise.all(names.map(name => world.server.ask(world.admin, 'POST', path, { metadata: { name } })));
  await page.goto(inCluster('/configmaps?q=long-'));
  const grid = page.getByRole('grid');
  await grid.getByText('long-000').waitFor();
  assert.equal(await grid.getAttribute('aria-rowcount'), '251');
  assert.ok((await grid.getByRole('row').count()) < 100, 'only what is in sight is drawn');
  await grid.focus();
  await page.keyboard.press('End');
  await grid.getByText('long-249').waitFor();
  await end(visit);
});

const replicas = () => world.kubectl('get', 'deploy', '-n', 'shop', 'web', '-o', 'jsonpath={.spec.replicas}');

test('a workload is scaled, and what it was can be had back', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/apps.deployments/shop/web'));
  await page.getByRole('button', { name: 'Scale' }).click();
  const dialog = page.getByRole('dialog', { name: 'Scale web' });
  await dialog.getByLabel('Replicas').fill('7');
  await dialog.getByRole('button', { name: 'Scale' }).click();
  await page.getByText('Scale: web').waitFor();
  assert.equal(await replicas(), '7');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Taken back: Scale: web').waitFor();
  assert.equal(await replicas(), '3');
  await page.getByRole('button', { name: 'Restart' }).click();
  await page.getByText('Restart: web').waitFor();
  assert.match(await world.kubectl('get', 'deploy', '-n', 'shop', 'web', '-o', 'yaml'), /restartedAt/);
  await end(visit);
});

test('several are chosen and deleted after their names were shown; a namespace only by its name', {
  skip,
}, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await world.apply(pod('shop', 'doomed-1'), pod('shop', 'doomed-2'));
  await page.goto(inCluster('/pods?q=doomed'));
  await page.getByRole('checkbox', { name: 'Select doomed-1' }).check();
  await page.getByRole('checkbox', { name: 'Select doomed-2' }).check();
  await page.getByRole('region', { name: '2 selected' }).getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('doomed-1').waitFor();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('Nothing matches').waitFor();
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'old' } });
  await page.goto(inCluster('/namespaces/old'));
  await page.getByRole('button', { name: 'Delete' }).click();
  const sure = page.getByRole('dialog').getByRole('button', { name: 'Delete' });
  assert.ok(await sure.isDisabled());
  await page.getByRole('dialog').getByRole('textbox').fill('old');
  await sure.click();
  await until('the namespace to be going', async () =>
    /Terminating/.test(await world.kubectl('get', 'ns', 'old', '-o', 'jsonpath={.status.phase}')),
  );
  await end(visit);
});

test('logs of all pods of a workload come as one, live, filtered, and go on after a break', { skip }, async () => {
  const { kubelet } = world;
  const visit = await asAdmin();
  const { page } = visit;
  for (const name of ['web-0', 'web-1', 'web-2']) kubelet.log(name, `started ${name}`);
  await page.goto(inCluster('/apps.deployments/shop/web?tab=logs'));
  const log = page.getByRole('log');
  await log.getByText('started web-0').waitFor();
  await log.getByText('started web-2').waitFor();
  kubelet.log('web-1', 'level=error msg="no such host"');
  await log.locator('.error').getByText('no such host').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  kubelet.log('web-1', 'while paused');
  kubelet.breakLogs();
  await page.getByRole('button', { name: 'Go on' }).click();
  await log.getByText('while paused').waitFor();
  await log.getByText('the connection broke here').first().waitFor();
  kubelet.log('web-0', 'after the break');
  await log.getByText('after the break').waitFor();
  assert.equal(await log.getByText('started web-0').count(), 1, 'nothing comes twice');
  await page.getByRole('searchbox').fill('/no such \\w+/');
  await log.getByText('after the break').waitFor({ state: 'detached' });
  await log.getByText('no such host').waitFor();
  await end(visit);
});

test('a shell in a pod answers, and says when it has ended', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/pods/shop/web-0?tab=terminal'));
  const screen = page.locator('.xterm-rows');
  await screen.getByText('$').first().waitFor();
  await page.keyboard.type('echo $((6 * 7))你好\n');
  await screen.getByText('42你好').waitFor();
  await page.keyboard.type('exit\n');
  await page.getByText('The shell has ended.').waitFor();
  await end(visit);
});

test('a secret stays covered until it is asked for', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/secrets/shop/db'));
  await page.getByRole('button', { name: 'Reveal' }).waitFor();
  assert.doesNotMatch((await page.textContent('main')) ?? '', /hunter2/);
  await page.getByRole('button', { name: 'Reveal' }).click();
  await page.getByText('hunter2').waitFor();
  await end(visit);
});

test('a cluster is imported with one command, and each step says what it waits for', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto('/ui/import');
  await page.getByLabel('Name').fill('edge-1');
  await page.getByRole('button', { name: 'Next: the command' }).click();
  await page.getByText('Waiting for').first().waitFor();
  const command = (await page.locator('pre').first().textContent()) ?? '';
  assert.match(command, /^curl --insecure -sfL https:\/\/.+\.yaml \| kubectl apply -f -$/);
  assert.equal((await page.getByRole('listitem').filter({ hasText: 'has its place here' }).count()) > 0, true);
  await page.goto('/ui/');
  await page.getByRole('row', { name: /edge-1/ }).waitFor();
  await end(visit);
});

test('nobody is shown what he may not see', { skip }, async () => {
  const { server, admin, clusterId } = world;
  const stranger = await server.makeUser(admin, 'stranger');
  const visit = await world.visit({ token: stranger.token });
  const { page } = visit;
  await page.goto('/ui/');
  await page.getByText('No cluster yet').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Users' }).count(), 0);
  await page.goto(inCluster('/pods'));
  await page.getByRole('alert').waitFor();
  assert.doesNotMatch((await page.textContent('body')) ?? '', /web-0/);
  const binding = { clusterId, roleTemplateId: 'cluster-member', userId: stranger.id };
  await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', binding);
  await page.goto('/ui/');
  await page.getByRole('row', { name: /test/ }).waitFor();
  await page.goto(inCluster());
  await page.getByRole('navigation', { name: 'In this cluster' }).getByRole('link', { name: /Nodes/ }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Secrets' }).count(), 0);
  await end(visit);
});

test('the language changes at once and stays', { skip }, async () => {
  const visit = await asAdmin({ language: 'zh-CN' });
  const { page } = visit;
  await page.goto(inCluster('/nodes'));
  await page.getByRole('heading', { name: '节点', exact: true }).waitFor();
  assert.equal(await page.getAttribute('html', 'lang'), 'zh-CN');
  await page.getByRole('button', { name: /账号/ }).click();
  await page.getByLabel('语言').selectOption('en');
  await page.getByRole('heading', { name: 'Nodes', exact: true }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Nodes', exact: true }).waitFor();
  await end(visit);
});

test('everything is reached by keys alone', { skip }, async () => {
  const visit = await world.visit();
  const { page } = visit;
  await page.goto('/ui/');
  await page.getByLabel('User name').waitFor();
  await page.keyboard.type('admin');
  await page.keyboard.press('Tab');
  await page.keyboard.type(adminPassword);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Clusters' }).waitFor();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('web-1');
  await page.getByRole('option', { name: /shop\/web-1/ }).waitFor();
  while (!(await page.getByRole('option', { name: /shop\/web-1/, selected: true }).count()))
    await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'web-1' }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await page.getByRole('heading', { name: 'Pods', exact: true }).waitFor();
  await page.getByRole('grid').getByText('web-0').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('web-2');
  await until('one row', async () => (await page.getByRole('grid').getByRole('row').count()) === 2, {
    timeoutMs: patienceMs,
  });
  await page.getByRole('grid').focus();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'web-2' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await end(visit);
});

test('offline is said, and what happened meanwhile is there afterwards', { skip }, async () => {
  const visit = await asAdmin();
  const { page, context } = visit;
  await page.goto(inCluster('/pods?ns=shop'));
  await page.getByRole('grid').getByText('web-0').waitFor();
  await context.setOffline(true);
  await page.getByText('You are offline').waitFor();
  await world.apply(pod('shop', 'meanwhile'));
  await context.setOffline(false);
  await page.getByRole('grid').getByText('meanwhile').waitFor();
  await page.getByText('You are offline').waitFor({ state: 'detached' });
  await world.kubectl('delete', 'pod', '-n', 'shop', 'meanwhile', '--force', '--grace-period=0');
  await context.close();
});

test('a page whose files the server no longer has comes back on being asked for again', { skip }, async () => {
  const { page, context } = await asAdmin();
  await page.goto(inCluster('/pods?ns=shop'));
  const gone = '**/ui/assets/KindObject-*.js';
  await page.route(gone, route => route.fulfill({ status: 404 }));
  await page.getByRole('link', { name: 'web-0' }).click();
  await page.getByRole('heading', { name: 'This page has failed' }).waitFor();
  await page.unroute(gone);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('heading', { level: 1, name: 'web-0' }).waitFor();
  await context.close();
});

test('a key is made, shown once, and works', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto('/ui/tokens');
  await page.getByRole('button', { name: 'Create a key' }).click();
  await page.getByLabel('What it is for').fill('a script');
  await page.getByRole('button', { name: 'Add' }).click();
  const token = (await page.getByRole('dialog', { name: 'The new key' }).locator('pre').textContent()) ?? '';
  assert.equal((await world.server.ask(token, 'GET', '/v3/users?me=true')).data[0].username, 'admin');
  await end(visit);
});

test('signing out ends the session', { skip }, async () => {
  const token = await world.server.login();
  const visit = await world.visit({ token });
  const { page } = visit;
  await page.goto('/ui/');
  await page.getByRole('button', { name: /Account/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in to Drover' }).waitFor();
  assert.equal((await world.server.fetch('GET', '/v3/users?me=true', { token })).status, 401);
  await end(visit);
});
