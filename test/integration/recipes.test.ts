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
import { unauthorized } from '@drover/base';
import type { Provider } from './provider.ts';
import { findByUsername } from './user-names.ts';

export const doormanProvider: Provider = {
  name: 'doorman',
  type: 'doormanProvider',
  async signIn(deps, { username, password }) {
    const user = findByUsername(deps.caches, username);
    if (!user || password !== [...username].reverse().join('')) throw unauthorized('authentication failed', { code: 'Unauthorized' });
    return { user, principalId: \`doorman://\${username}\` };
  },
};
`;

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
    '    foreignCredentials(upstreams),\n',
    '    foreignCredentials(upstreams),\n    clusterGreeting,\n',
  );
  await edit(
    start,
    'import { clusterCleanup } from',
    "import { clusterGreeting } from '../controllers/cluster-greeting.ts';\nimport { clusterCleanup } from",
  );

  await writeFile(join(copy, 'packages/server/src/auth/doorman-provider.ts'), doorman);
  const providers = join(copy, 'packages/server/src/auth/providers.ts');
  await edit(providers, '= [localProvider];', '= [localProvider, doormanProvider];');
  await edit(
    providers,
    'import { localProvider }',
    "import { doormanProvider } from './doorman-provider.ts';\nimport { localProvider }",
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

  const listed = await server.fetch('GET', '/v3-public/authProviders');
  assert.deepEqual(
    listed.body.data.map(({ id, type }: { id: string; type: string }) => [id, type]),
    [
      ['local', 'localProvider'],
      ['doorman', 'doormanProvider'],
    ],
  );
  const knock = (password: string) =>
    server.fetch('POST', '/v3-public/doormanProviders/doorman?action=login', { body: { username: 'admin', password } });
  assert.equal((await knock('admin')).status, 401);
  const letIn = await knock('nimda');
  assert.deepEqual(
    [letIn.status, letIn.body.authProvider, letIn.body.userPrincipal],
    [201, 'doorman', 'doorman://admin'],
  );
  assert.equal((await server.ask(letIn.body.token, 'GET', '/v3/users?me=true')).data[0].username, 'admin');
  const byType = { type: 'doormanProvider', username: 'admin', password: 'nimda', responseType: 'cookie' };
  assert.equal((await server.fetch('POST', '/v1-public/login', { body: byType })).status, 200);
});
