/** Journeys of making and changing objects: as YAML and in forms, with the cluster's words, and with others who do the same. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import './web-failures.ts';
import { endVisit as end, missingWorld, openWorld, patienceMs, shop, type Visit, type World } from './web-world.ts';

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

/** Typed as people do: the line is found, its end chosen, and written anew. */
async function replaceInEditor({ page }: Visit, before: string, to: string): Promise<void> {
  const line = page.locator('.cm-line', { hasText: before }).first();
  await line.click();
  await page.keyboard.press('End');
  await page.keyboard.press('Shift+Home');
  await page.keyboard.type(to);
  await page.locator('.cm-line', { hasText: to }).first().waitFor();
}

test('YAML is edited with the cluster’s own answer shown first', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await world.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'edited', namespace: 'shop' },
    data: { mode: 'old' },
  });
  await page.goto(inCluster('/configmaps/shop/edited?tab=yaml'));
  await replaceInEditor(visit, 'mode: old', 'mode: new');
  await page.getByRole('button', { name: 'Review changes' }).click();
  await page.getByText('as the cluster answers a dry run').waitFor();
  assert.equal(await world.kubectl('get', 'cm', '-n', 'shop', 'edited', '-o', 'jsonpath={.data.mode}'), 'old');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved: edited').waitFor();
  assert.equal(await world.kubectl('get', 'cm', '-n', 'shop', 'edited', '-o', 'jsonpath={.data.mode}'), 'new');
  await end(visit);
});

test('where somebody saved first, both versions are shown and nothing is lost unseen', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await world.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'both', namespace: 'shop' },
    data: { mode: 'old' },
  });
  await page.goto(inCluster('/configmaps/shop/both?tab=yaml'));
  await replaceInEditor(visit, 'mode: old', 'mode: mine');
  await world.kubectl('patch', 'cm', '-n', 'shop', 'both', '-p', '{"data":{"mode":"theirs"}}');
  await page.getByText('It has changed since you began').waitFor();
  await page.getByRole('button', { name: 'Review changes' }).click();
  await page.getByText('changed the same').waitFor();
  const clash = page.getByRole('group', { name: 'data.mode' });
  await clash.getByText('theirs').waitFor();
  await clash.getByRole('radio', { name: /Yours/ }).check();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved: both').waitFor();
  assert.equal(await world.kubectl('get', 'cm', '-n', 'shop', 'both', '-o', 'jsonpath={.data.mode}'), 'mine');
  await end(visit);
});

test('changes of two people that fit together are put together', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  const data = { colour: 'red', size: 'small' };
  await world.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'joint', namespace: 'shop' }, data });
  await page.goto(inCluster('/configmaps/shop/joint?tab=yaml'));
  await replaceInEditor(visit, 'colour: red', 'colour: blue');
  await world.kubectl('patch', 'cm', '-n', 'shop', 'joint', '-p', '{"data":{"size":"large"}}');
  await page.getByText('It has changed since you began').waitFor();
  await page.getByRole('button', { name: 'Review changes' }).click();
  await page.getByText('Both changes fit together').waitFor();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved: joint').waitFor();
  const saved = await world.kubectl('get', 'cm', '-n', 'shop', 'joint', '-o', 'jsonpath={.data.colour} {.data.size}');
  assert.equal(saved, 'blue large');
  await end(visit);
});

test('an object is made from a sample, in a form and as YAML, and comments outlive the form', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/apps.statefulsets?ns=shop'));
  await page.getByText('No Stateful sets here').waitFor();
  await page.locator('.notice').getByRole('link', { name: 'Create' }).click();
  await page.getByRole('heading', { name: 'Create: Stateful sets' }).waitFor();
  await page.getByLabel('Name', { exact: true }).first().fill('made');
  await page.getByLabel('Replicas').fill('2');
  await page.getByRole('button', { name: 'YAML' }).click();
  await page.locator('.cm-line', { hasText: '# how many run at once' }).waitFor();
  await page.locator('.cm-line', { hasText: 'replicas: 2' }).waitFor();
  await replaceInEditor(visit, 'replicas: 2', 'replicas: 3 # as agreed');
  await page.getByRole('button', { name: 'Form' }).click();
  assert.equal(await page.getByLabel('Replicas').inputValue(), '3');
  await page.getByLabel('Replicas').fill('4');
  await page.getByRole('button', { name: 'YAML' }).click();
  await page.locator('.cm-line', { hasText: 'replicas: 4 # as agreed' }).waitFor();
  await page.getByRole('button', { name: 'Let the cluster check it' }).click();
  await page.getByText('The cluster would take it as it is').waitFor();
  assert.equal(await world.kubectl('get', 'sts', '-n', 'shop', '-o', 'name'), '');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'made' }).waitFor();
  assert.equal(await world.kubectl('get', 'sts', '-n', 'shop', 'made', '-o', 'jsonpath={.spec.replicas}'), '4');
  await end(visit);
});

test('the editor completes what the cluster’s own API has, custom resources too, and what it refuses is said', {
  skip,
}, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  const schema = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        required: ['flavour'],
        properties: {
          flavour: { type: 'string', enum: ['vanilla', 'plum'], description: 'What it tastes of.' },
          scoops: { type: 'integer' },
        },
      },
    },
  };
  await world.apply({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'ices.shop.example.com' },
    spec: {
      group: 'shop.example.com',
      scope: 'Namespaced',
      names: { kind: 'Ice', plural: 'ices', singular: 'ice' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  });
  await world.kubectl('wait', '--for=condition=Established', 'crd/ices.shop.example.com', '--timeout=60s');
  await world.apply({
    apiVersion: 'shop.example.com/v1',
    kind: 'Ice',
    metadata: { name: 'one', namespace: 'shop' },
    spec: { flavour: 'plum' },
  });
  const root = `/k8s/clusters/${world.clusterId}/v1`;
  // The cluster writes what it knows of a kind a moment after it knows the kind.
  await until(
    'the cluster to describe it',
    async () =>
      (await world.server.fetch('GET', `${root}/schemaDefinitions/shop.example.com.ice`, { token: world.admin }))
        .status === 200,
    { timeoutMs: patienceMs },
  );
  await page.goto(inCluster('/shop.example.com.ices/shop/one?tab=yaml'));
  const line = page.locator('.cm-line', { hasText: 'flavour: plum' });
  await line.click();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('sc');
  // By a click: the editor takes no Enter for the list in its first moment.
  await page.locator('.cm-tooltip-autocomplete').getByText('scoops').click();
  await page.keyboard.type('many');
  await line.getByText('flavour').hover();
  await page.getByText('What it tastes of.').waitFor();
  await page.getByRole('button', { name: 'Review changes' }).click();
  await page.getByRole('alert').getByText('spec.scoops').waitFor();
  await end(visit);
});
