/** Journeys through lists: many at once, across kinds and clusters, by keys and commands, and what may not be done. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import './web-failures.ts';
import { endVisit as end, missingWorld, openWorld, patienceMs, pod, shop, type World } from './web-world.ts';

const skip = missingWorld() ?? false;
let world: World;

before(async () => {
  if (skip) return;
  world = await openWorld();
  const [space, account, ...rest] = shop('shop', 3);
  await world.apply(space!, account!);
  await world.apply(...rest, ...['a', 'b', 'c'].map(name => deployment(`bulk-${name}`)));
});
after(async () => world?.[Symbol.asyncDispose]());

const inCluster = (path = '') => `/ui/c/${world.clusterId}${path}`;
const asAdmin = () => world.visit({ token: world.admin });

function deployment(name: string): object {
  const labels = { app: name, team: 'blue' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop', labels },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels }, spec: { containers: [{ name: 'x', image: 'nginx:1.29' }] } },
    },
  };
}

const specs = async (path: string) =>
  (await world.kubectl('get', 'deploy', '-n', 'shop', '-l', 'team=blue', '-o', `jsonpath={.items[*]${path}}`)).trim();

test('all that match are scaled at once, each with its result, and had back from what was done lately', {
  skip,
}, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/apps.deployments?q=bulk-'));
  await page.getByRole('checkbox', { name: 'Select bulk-a' }).check();
  const bar = page.getByRole('region', { name: '1 selected' });
  await bar.getByRole('button', { name: 'Select all 3 that match' }).click();
  const three = page.getByRole('region', { name: '3 selected' });
  await three.getByRole('button', { name: 'Scale' }).click();
  await page.getByRole('dialog').getByLabel('Replicas').fill('5');
  await page.getByRole('dialog').getByRole('button', { name: 'Scale' }).click();
  await page.getByText('Scale: 3 objects').waitFor();
  assert.equal(await specs('.spec.replicas'), '5 5 5');
  await page.getByRole('button', { name: /Account/ }).click();
  await page.getByRole('button', { name: 'Recent changes' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('dialog').getByText('taken back').waitFor();
  assert.equal(await specs('.spec.replicas'), '2 2 2');
  await end(visit);
});

test('what is refused is told of each, the others are done, and it can be tried again', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/apps.deployments?q=bulk-'));
  for (const name of ['bulk-a', 'bulk-b']) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
  await world.kubectl('delete', 'deploy', '-n', 'shop', 'bulk-b', '--wait=false');
  // The row that is chosen is remembered, though the object is gone.
  await page.getByRole('grid').getByText('bulk-b').waitFor({ state: 'detached' });
  await page.getByRole('region', { name: '2 selected' }).getByRole('button', { name: 'Pause rollout' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Pause rollout' }).click();
  await dialog.getByRole('alert').getByText('It is not there').waitFor();
  await dialog.getByText('1 of 2 done').waitFor();
  assert.equal(await world.kubectl('get', 'deploy', '-n', 'shop', 'bulk-a', '-o', 'jsonpath={.spec.paused}'), 'true');
  await world.apply(deployment('bulk-b'));
  await dialog.getByRole('button', { name: 'Try the last one again' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await world.kubectl('get', 'deploy', '-n', 'shop', 'bulk-b', '-o', 'jsonpath={.spec.paused}'), 'true');
  await end(visit);
});

test('what was deleted and can be made again is had back', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  const data = { colour: 'green' };
  await world.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'gone', namespace: 'shop' }, data });
  await page.goto(inCluster('/configmaps/shop/gone'));
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('Delete: 1 object').waitFor();
  await page.getByRole('status').getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Taken back').waitFor();
  assert.equal(await world.kubectl('get', 'cm', '-n', 'shop', 'gone', '-o', 'jsonpath={.data.colour}'), 'green');
  await end(visit);
});

test('a change shows before it is confirmed, and is taken off again when the cluster refuses it', {
  skip,
}, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  const name = 'small-only';
  await world.apply(
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments'] },
          ],
        },
        validations: [{ expression: 'object.spec.replicas < 1000', message: 'no more than 999, please' }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  );
  await until(
    'the policy to hold',
    () =>
      world
        .kubectl('patch', 'deploy', '-n', 'shop', 'web', '--dry-run=server', '-p', '{"spec":{"replicas":2000}}')
        .then(
          () => false,
          () => true,
        ),
    { timeoutMs: patienceMs },
  );
  await page.goto(inCluster('/apps.deployments/shop/web'));
  await page.getByRole('button', { name: 'Scale' }).click();
  await page.getByRole('dialog').getByLabel('Replicas').fill('2000');
  await page.getByRole('dialog').getByRole('button', { name: 'Scale' }).click();
  await page.getByText('no more than 999, please').waitFor();
  await page.getByRole('button', { name: 'Scale' }).click();
  await page.getByText('Now: 3').waitFor();
  await world.kubectl('delete', 'validatingadmissionpolicybinding', name);
  await end(visit);
});

test('all kinds of workload of a cluster stand in one list', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/workloads?ns=shop'));
  const grid = page.getByRole('grid', { name: 'Workloads' });
  await grid.getByRole('row', { name: /bulk-a.*Deployment/ }).waitFor();
  await grid.getByRole('row', { name: /web-0.*Pod/ }).waitFor();
  await page.getByRole('searchbox').fill('web !web-0');
  await grid.getByText('web-0').waitFor({ state: 'detached' });
  await grid.getByRole('row', { name: /web-1/ }).waitFor();
  await world.apply(pod('shop', 'web-late'));
  await grid.getByRole('row', { name: /web-late/ }).waitFor();
  await world.kubectl('delete', 'pod', '-n', 'shop', 'web-late', '--force', '--grace-period=0');
  await end(visit);
});

test('a kind is listed across clusters, and one that can not be asked is named with its cause', { skip }, async () => {
  const { server, admin } = world;
  const away = await server.ask(admin, 'POST', '/v3/clusters', { name: 'far-away' });
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto('/ui/across/pods');
  const grid = page.getByRole('grid', { name: 'Pods' });
  await grid.getByRole('row', { name: /web-0.*test/ }).waitFor();
  await page.getByText('1 can’t be asked just now').click();
  await page.getByRole('listitem').getByText('has never connected').waitFor();
  await page.getByRole('link', { name: 'Deployments' }).click();
  await page
    .getByRole('grid', { name: 'Deployments' })
    .getByRole('row', { name: /bulk-c/ })
    .waitFor();
  await server.ask(admin, 'DELETE', `/v3/clusters/${away.id}`);
  await end(visit);
});

test('a view with a label’s column is kept under a name, and the list is taken along as CSV', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/apps.deployments?q=bulk-&sort=-metadata.name'));
  await page.getByRole('grid').getByText('bulk-c').waitFor();
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByLabel('Column for a label').fill('team');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('gridcell', { name: 'blue' }).first().waitFor();
  await page.getByRole('button', { name: 'Saved views' }).click();
  await page.getByLabel('Name for this view').fill('blue ones');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.goto(inCluster('/apps.deployments'));
  await page.getByRole('grid').getByText('web', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Saved views' }).click();
  await page.getByRole('button', { name: 'blue ones', exact: true }).click();
  await page.getByRole('grid').getByText('web', { exact: true }).waitFor({ state: 'detached' });
  assert.match(page.url(), /q=bulk-&sort=-metadata\.name/);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export' }).click();
  await page.getByRole('button', { name: 'All that match, as CSV' }).click();
  const file = await download;
  const lines = (await streamText(await file.createReadStream())).trim().split('\r\n');
  assert.match(lines[0]!, /Name.*team/);
  assert.deepEqual(
    lines.slice(1).map(line => line.split(',')[0]),
    ['bulk-c', 'bulk-b', 'bulk-a'],
  );
  await end(visit);
});

async function streamText(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}

test('a project is chosen like a namespace', { skip }, async () => {
  const { server, admin, clusterId } = world;
  const project = await server.ask(admin, 'POST', '/v3/projects', { clusterId, name: 'storefront' });
  await world.kubectl('label', 'ns', 'shop', `field.cattle.io/projectId=${project.id.split(':')[1]}`, '--overwrite');
  await world.kubectl('annotate', 'ns', 'shop', `field.cattle.io/projectId=${project.id}`, '--overwrite');
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/configmaps'));
  await page.getByRole('button', { name: /Namespaces/ }).click();
  await page.getByLabel('storefront').check();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Namespaces: storefront' }).waitFor();
  await page.getByRole('grid').getByText('gone').waitFor();
  assert.equal(await page.getByRole('grid').getByText('kube-system').count(), 0);
  await end(visit);
});

test('the palette takes the commands that terminals have taught, and knows where one was', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/pods/shop/web-1'));
  await page.getByRole('heading', { level: 1, name: 'web-1' }).waitFor();
  await page.keyboard.press('Control+k');
  await page.keyboard.type(':deploy shop /bulk !bulk-b');
  await page.getByRole('option', { selected: true, name: /Deployments/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('grid').getByText('bulk-a').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('ns'), 'shop');
  assert.equal(await page.getByRole('grid').getByText('bulk-b').count(), 0);
  await page.keyboard.press('Control+k');
  await page.keyboard.type(':po -l app=web @test');
  await page.getByRole('option', { selected: true, name: /Pods/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('grid').getByText('web-2').waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('option', { name: /Lately/ }).waitFor();
  await page.getByRole('option', { name: /web-1 · Pod/ }).click();
  await page.getByRole('heading', { level: 1, name: 'web-1' }).waitFor();
  await end(visit);
});

test('rows are worked with by keys, and a key can be given to something else', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/pods?q=web-&ns=shop'));
  await page.getByRole('grid').getByText('web-0').waitFor();
  await page.getByRole('grid').focus();
  await page.keyboard.press('j');
  await page.keyboard.press('l');
  await page.getByRole('tab', { name: 'Logs', selected: true }).waitFor();
  await page.goBack();
  // The row that one was at stands in the address, and is the active one again.
  await page.waitForURL(/[?&]row=shop%2Fweb-0/);
  await page.locator('.line.active').getByText('web-0').waitFor();
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await sheet.getByRole('button', { name: 'Another key for: YAML of the row' }).click();
  await page.keyboard.press('l');
  await sheet.getByRole('alert').getByText('already has a use').waitFor();
  await sheet.getByRole('button', { name: 'Another key for: YAML of the row' }).click();
  await page.keyboard.press('x');
  await sheet.getByText('x', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.line.active').getByText('web-0').waitFor();
  await page.getByRole('grid').focus();
  await page.keyboard.press('x');
  await page.getByRole('tab', { name: 'YAML', selected: true }).waitFor();
  await page.goBack();
  await page.locator('.line.active').getByText('web-0').waitFor();
  await page.getByRole('grid').focus();
  await page.keyboard.press('Delete');
  await page.getByRole('dialog').getByText('web-0').waitFor();
  await end(visit);
});

test('a list that is still being read says how far it is, and is whole when it is', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  let isHeld = true;
  // What the server says of 100,000 rows for seconds, of few for as long as is looked at it.
  await page.route(/\/v1\/pods\?.*early=true/, async route => {
    const response = await route.fetch();
    const { revision: _, ...list } = (await response.json()) as Record<string, unknown>;
    if (isHeld) await route.fulfill({ response, json: { ...list, reading: { read: 12_000, of: 100_000 } } });
    else await route.fulfill({ response });
  });
  await page.goto(inCluster('/pods?q=web-&ns=shop'));
  await page.getByRole('grid').getByText('web-0').waitFor();
  await page.getByRole('status').getByText('The list is being read from the cluster').waitFor();
  await page.getByText('12,000 of 100,000').waitFor();
  isHeld = false;
  await page.getByText('12,000 of 100,000').waitFor({ state: 'detached' });
  await page.getByRole('grid').getByText('web-0').waitFor();
  await end(visit);
});

test('who may not do something is told which right it takes, and who can give it', { skip }, async () => {
  const { server, admin, clusterId } = world;
  const reader = await server.makeUser(admin, 'reader');
  const binding = { clusterId, roleTemplateId: 'cluster-member', userId: reader.id };
  await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', binding);
  const visit = await world.visit({ token: reader.token });
  const { page } = visit;
  await until(
    'his rights to be in the cluster',
    async () =>
      (await server.fetch('GET', `/k8s/clusters/${clusterId}/v1/nodes/node-1`, { token: reader.token })).status === 200,
    { timeoutMs: patienceMs },
  );
  await page.goto(inCluster('/nodes/node-1'));
  await page.getByRole('button', { name: 'Stop scheduling' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'You may not do this' });
  await dialog.getByText('patch nodes').waitFor();
  await dialog.getByRole('heading', { name: 'Who can give it to you' }).waitFor();
  await end(visit);
});
