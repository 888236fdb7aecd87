/** Journeys of those who run a cluster for others: who may do what, and what is used. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { endVisit as end, missingWorld, openWorld, patienceMs, shop, type World } from './web-world.ts';

const skip = missingWorld() ?? false;
let world: World;

before(async () => {
  if (skip) return;
  world = await openWorld();
  const [space, account, ...rest] = shop('shop', 1);
  await world.apply(space!, account!);
  await world.apply(...rest);
});
after(async () => world?.[Symbol.asyncDispose]());

const inCluster = (path = '') => `/ui/c/${world.clusterId}${path}`;
const asAdmin = () => world.visit({ token: world.admin });

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

test('what nodes and workloads use is drawn, from what the cluster measures', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/usage'));
  await page.getByRole('alert').waitFor();
  await world.apply(metricsKind('nodes', 'NodeMetrics', 'Cluster'), metricsKind('pods', 'PodMetrics', 'Namespaced'));
  for (const name of ['nodes', 'pods'])
    await world.kubectl('wait', '--for=condition=Established', `crd/${name}.metrics.k8s.io`, '--timeout=60s');
  const apiVersion = 'metrics.k8s.io/v1beta1';
  const usage = { cpu: '1500m', memory: '2Gi' };
  const containers = [{ name: 'web', usage: { cpu: '250m', memory: '64Mi' } }];
  await world.apply(
    { apiVersion, kind: 'NodeMetrics', metadata: { name: 'node-1' }, usage },
    {
      apiVersion,
      kind: 'PodMetrics',
      metadata: { name: 'web-7f-x1', namespace: 'shop', labels: { 'pod-template-hash': '7f' } },
      containers,
    },
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

/** The metrics server's kinds, kept by the kube-apiserver itself: what is written is what was measured. */
function metricsKind(plural: string, kind: string, scope: string): object {
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.metrics.k8s.io`,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, stands in for the metrics server' },
    },
    spec: {
      group: 'metrics.k8s.io',
      scope,
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1beta1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}
