/**
 * The recipes of docs/contributing.md for a resource type, a controller and a sign-in provider, followed to the letter in a copy
 * of the source; the server started from that copy must then serve the type, run the controller and sign people in.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '@drover/base';
import { copyTree } from '../../tools/mutants/copy-tree.ts';
import { startServer } from '../server-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const stickerType = `/** Sticker: something small to put on clusters. */
import { reference, string } from '../field.ts';
import { defineType } from '../type.ts';

export const sticker = defineType({
  id: 'sticker',
  pluralName: 'stickers',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'Sticker',
  resource: 'stickers',
  scope: 'cluster',
  namePrefix: 'st-',
  spec: { colour: string({ required: true }), clusterName: reference('cluster', { as: 'clusterId' }) },
  v3: { collectionMethods: ['GET', 'POST'], resourceMethods: ['GET', 'PUT', 'DELETE'], nameFrom: 'metadata' },
});
`;

const greeting = `/** cluster-greeting: says hello to every cluster, once. */
import { type Controller, controller } from '../resources/index.ts';

export const clusterGreeting: Controller<'cluster'> = controller({
  name: 'cluster-greeting',
  for: 'cluster',
  async reconcile(cluster, { resources }) {
    await resources.modify('cluster', { name: cluster.metadata.name }, seen =>
      seen.metadata.labels?.['greeting'] ? undefined : { ...seen, metadata: { ...seen.metadata, labels: { ...seen.metadata.labels, greeting: 'hello' } } },
    );
    return undefined;
  },
});
`;

const doorman = `/** The doorman: lets in whoever says his own name backwards. */
import { invalid, unauthorized } from '@drover/base';
import type { PasswordProvider } from './configured-provider.ts';
import { userPrincipal } from './identity.ts';

export const doormanProvider: PasswordProvider = {
  kind: 'password',
  name: 'doorman',
  configType: 'doormanConfig',
  providerType: 'doormanProvider',
  check({ fields }) {
    if (fields['door'] === 'wall') throw invalid('door', 'must be a door');
  },
  async tryOut() {},
  publicFields: ({ fields }) => ({ door: fields['door'] }),
  forEverybody: error => error,
  async signIn(_, { username, password }) {
    if (username === '' || password !== [...username].reverse().join('')) throw unauthorized('authentication failed', { code: 'Unauthorized' });
    return { user: userPrincipal('doorman', username, { field: 'username' }), groups: [] };
  },
};
`;

const doormanFields =
  '"doormanConfig": {"pluralName":"doormanConfigs","resourceActions":{"disable":{}},"fields":{' +
  '"enabled":{"type":"boolean","create":true,"update":true},"door":{"type":"string","create":true,"update":true}}},';

async function edit(path: string, find: string, replace: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  assert.equal(text.split(find).length, 2, `${find} stands once in ${path}`);
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
}

test('a resource type, a controller and a sign-in provider are added in three steps each', {
  timeout: 120_000,
}, async t => {
  const copy = await mkdtemp(join(tmpdir(), 'drover-recipes-'));
  t.after(() => rm(copy, { recursive: true, force: true }));
  await copyTree(root, copy);

  await writeFile(join(copy, 'packages/api/src/types/sticker.ts'), stickerType);
  const types = join(copy, 'packages/api/src/types.ts');
  await edit(
    types,
    "import { token } from './types/token.ts';",
    "import { sticker } from './types/sticker.ts';\nimport { token } from './types/token.ts';",
  );
  await edit(types, '  token,\n', '  sticker,\n  token,\n');
  await edit(
    join(copy, 'packages/server/src/api/registry.ts'),
    "  ['cluster', clusters],\n",
    "  ['cluster', clusters],\n  ['sticker', {}],\n",
  );

  await writeFile(join(copy, 'packages/server/src/controllers/cluster-greeting.ts'), greeting);
  const start = join(copy, 'packages/server/src/clusters/start-controllers.ts');
  await edit(
    start,
    '    namespacePolicy({ clients, setting }),\n',
    '    namespacePolicy({ clients, setting }),\n    clusterGreeting,\n',
  );
  await edit(
    start,
    'import { clusterCleanup } from',
    "import { clusterGreeting } from '../controllers/cluster-greeting.ts';\nimport { clusterCleanup } from",
  );

  const folder = join(copy, 'packages/server/src/auth-providers');
  await writeFile(join(folder, 'doorman-provider.ts'), doorman);
  await edit(join(folder, 'data/config-schemas.json'), '"configs": {\n', `"configs": {\n${doormanFields}\n`);
  const providers = join(folder, 'providers.ts');
  await edit(providers, '...redirectProviders]', '...redirectProviders, doormanProvider]');
  await edit(
    providers,
    'import { redirectProviders }',
    "import { doormanProvider } from './doorman-provider.ts';\nimport { redirectProviders }",
  );

  await using server = await startServer({ main: join(copy, 'packages/server/src/main.ts') });
  const admin = await server.login();
  const schema = await server.ask(admin, 'GET', '/v3/schemas/sticker');
  assert.equal(schema.resourceFields.colour.required, true);
  const cluster = await server.ask(admin, 'POST', '/v3/clusters', { type: 'cluster', name: 'greeted' });
  const made = await server.ask(admin, 'POST', '/v3/stickers', {
    type: 'sticker',
    colour: 'green',
    clusterId: cluster.id,
  });
  assert.deepEqual([made.colour, made.clusterId], ['green', cluster.id]);
  assert.equal((await server.fetch('POST', '/v3/stickers', { token: admin, body: {} })).body.code, 'MissingRequired');
  assert.match(cluster.links.stickers, /\/v3\/clusters\/c-[a-z0-9]+\/stickers$/);
  const below = await server.fetch('GET', new URL(cluster.links.stickers).pathname, { token: admin });
  assert.equal(below.body.data.length, 1);
  await until(
    'the greeting',
    async () => (await server.ask(admin, 'GET', `/v3/clusters/${cluster.id}`)).labels.greeting === 'hello',
  );

  const knock = (username: string, password: string) =>
    server.fetch('POST', '/v3-public/doormanProviders/doorman?action=login', { body: { username, password } });
  assert.equal((await knock('ada', 'ada')).status, 404, 'it is not there until it is switched on');
  const config = (fields: object, status?: number) =>
    server.ask(admin, 'PUT', '/v3/doormanconfigs/doorman', { enabled: true, ...fields }, status);
  assert.equal((await config({ door: 'wall' }, 422)).fieldName, 'door');
  assert.equal((await config({ door: 'front' })).enabled, true);
  const listed = await server.fetch('GET', '/v3-public/authProviders');
  assert.deepEqual(
    listed.body.data.map(({ id, type, door }: Record<string, string>) => [id, type, door]),
    [
      ['local', 'localProvider', undefined],
      ['doorman', 'doormanProvider', 'front'],
    ],
  );
  assert.equal((await knock('adam', 'adam')).status, 401);
  const letIn = await knock('adam', 'mada');
  assert.deepEqual(
    [letIn.status, letIn.body.authProvider, letIn.body.userPrincipal],
    [201, 'doorman', 'doorman_user://adam'],
  );
  assert.equal((await server.ask(letIn.body.token, 'GET', '/v3/users?me=true')).data[0].name, 'adam');
  const byType = { type: 'doormanProvider', username: 'adam', password: 'mada', responseType: 'cookie' };
  assert.equal((await server.fetch('POST', '/v1-public/login', { body: byType })).status, 200);
});
