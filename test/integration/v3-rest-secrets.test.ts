/**
 * Secrets of a whole project in a real cluster: kept by the server, encrypted, and in each of the project's namespaces; for who
 * has that right in the project, and for nobody else.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ignoreNotFound, type Resource, until } from '@drover/base';
import { KubeClient, secrets } from '@drover/kube';
import { type ServerProcess, startServer } from '../server-process.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;
const slow = { timeoutMs: 60_000 };
let cluster: TestApiServer;
let server: ServerProcess;
let kube: KubeClient;
let admin: string;
let id: string;
let shop: string;
let other: string;
let namespacesPath: string;

before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  kube = new KubeClient(cluster.connection);
  server = await startServer({ args: ['--cluster', 'context:test'], env: { KUBECONFIG: cluster.kubeconfigPath } });
  admin = await server.login();
  id = await until(
    'the cluster to be active',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
      return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
    },
    slow,
  );
  const project = async (name: string) =>
    (await server.ask(admin, 'POST', '/v3/projects', { name, clusterId: id })).id as string;
  [shop, other] = [await project('shop'), await project('other')];
  namespacesPath = `/v3/cluster/${id}/namespaces`;
  await until('rights in the cluster', async () => {
    const body = { name: 'shop-a', projectId: shop };
    return (await server.fetch('POST', namespacesPath, { token: admin, body })).status === 201;
  });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

interface Secret extends Resource {
  readonly type: string;
  readonly data?: Readonly<Record<string, string>>;
}

const copyIn = (namespace: string, name: string) => ignoreNotFound(kube.get<Secret>(secrets, name, { namespace }));
const textIn = async (namespace: string, name: string, key: string) =>
  Buffer.from((await copyIn(namespace, name))?.data?.[key] ?? '', 'base64').toString();
/** None of what is no file, or is gone by now. */
const bytesOf = (file: string) => readFile(file).catch(() => Buffer.alloc(0));
const encode = (text: string) => Buffer.from(text).toString('base64');

test('one is in each namespace of the project, those to come too, follows its changes and goes with it', {
  skip,
  timeout: 180_000,
}, async () => {
  const path = `/v3/project/${shop}/secrets`;
  const body = {
    name: 'key',
    description: 'opens it',
    stringData: { plain: 'first-canary' },
    data: { more: encode('x') },
  };
  const made = await server.ask(admin, 'POST', path, body);
  assert.deepEqual([made.type, made.kind, made.projectId, made.namespaceId], ['secret', 'Opaque', shop, null]);
  await until('the copy', async () => (await textIn('shop-a', 'key', 'plain')) === 'first-canary', slow);
  await server.ask(admin, 'POST', namespacesPath, { name: 'shop-b', projectId: shop });
  await until('the copy in the new one', async () => (await textIn('shop-b', 'key', 'plain')) === 'first-canary', slow);
  assert.equal(
    (await copyIn('shop-b', 'key'))!.metadata.annotations!['management.cattle.io/project-scoped-secret-copy'],
    'true',
  );

  const [listed] = (await server.ask(admin, 'GET', `${path}?name=key`)).data;
  assert.equal(listed.id, made.id);
  await server.ask(admin, 'PUT', `${path}/${made.id}`, { data: { plain: encode('second') } });
  await until('the change', async () => (await textIn('shop-b', 'key', 'plain')) === 'second', slow);
  assert.equal((await copyIn('shop-b', 'key'))!.data!['more'], undefined);
  await kube.patch(secrets, 'key', { data: { plain: encode('edited') } }, { namespace: 'shop-a', type: 'merge' });
  await until('the edit to be put right', async () => (await textIn('shop-a', 'key', 'plain')) === 'second', slow);
  await kube.delete(secrets, 'key', { namespace: 'shop-b' });
  await until('it to be made again', () => copyIn('shop-b', 'key'), slow);

  const own = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'taken', namespace: 'shop-a' }, type: 'Opaque' };
  await kube.create(secrets, { ...own, data: { a: encode('theirs') } } as unknown as Resource);
  await server.ask(admin, 'POST', path, { name: 'taken', stringData: { a: 'ours' } });
  await until('the copy where there was none', async () => (await textIn('shop-b', 'taken', 'a')) === 'ours', slow);
  assert.equal(await textIn('shop-a', 'taken', 'a'), 'theirs', 'what somebody else made stays');

  await server.ask(admin, 'POST', `${namespacesPath}/shop-b?action=move`, { projectId: other }, 200);
  await until('the copies to be gone with the move', async () => !(await copyIn('shop-b', 'key')), slow);
  await server.fetch('DELETE', `${path}/${made.id}`, { token: admin });
  await until('the copy to be gone', async () => !(await copyIn('shop-a', 'key')), slow);
});

test('kinds show their parts by name, and nothing that is secret in them', { skip, timeout: 120_000 }, async () => {
  const path = (plural: string) => `/v3/project/${shop}/${plural}`;
  const basic = await server.ask(admin, 'POST', path('basicauths'), {
    name: 'basic',
    username: 'mia',
    password: 'pass-canary',
  });
  assert.deepEqual(
    [basic.type, basic.baseType, basic.username, basic.password],
    ['basicAuth', 'secret', 'mia', undefined],
  );
  const docker = await server.ask(admin, 'POST', path('dockercredentials'), {
    name: 'registry',
    registries: { 'registry.example.com': { username: 'mia', password: 'pass-canary' } },
  });
  assert.deepEqual(docker.registries, { 'registry.example.com': { username: 'mia' } });
  await until(
    'the copy',
    async () => (await copyIn('shop-a', 'registry'))?.type === 'kubernetes.io/dockerconfigjson',
    slow,
  );
  assert.match(await textIn('shop-a', 'registry', '.dockerconfigjson'), /pass-canary/);
  await server.ask(admin, 'PUT', `${path('basicauths')}/${basic.id}`, { username: 'max' });
  await until('the part that changed', async () => (await textIn('shop-a', 'basic', 'username')) === 'max', slow);
  assert.equal(await textIn('shop-a', 'basic', 'password'), 'pass-canary', 'the other one stays');
  const kept = Buffer.concat(
    await Promise.all(
      (await readdir(server.dataDir, { recursive: true })).map(one => bytesOf(join(server.dataDir, one))),
    ),
  );
  assert.ok(kept.includes('projectsecrets'), 'this is where they are kept');
  assert.ok(!kept.includes('pass-canary') && !kept.includes(encode('pass-canary')));
  const cases = [
    [{ name: 'Not A Name' }, 'InvalidCharacters', 'name'],
    [{ name: 'one', namespaceId: 'shop-a' }, 'InvalidOption', 'namespaceId'],
    [{ name: 'one', kind: 'serviceAccountToken' }, 'InvalidOption', 'kind'],
    [{ name: 'one', data: { 'a b': 'eA==' } }, 'InvalidCharacters', 'data'],
  ] as const;
  for (const [body, code, field] of cases) {
    const answer = await server.fetch('POST', path('secrets'), { token: admin, body });
    assert.deepEqual([answer.status, answer.body.code, answer.body.fieldName], [422, code, field]);
  }
});

test('who has no right over secrets in the project neither sees, makes nor takes them', {
  skip,
  timeout: 120_000,
}, async () => {
  const path = `/v3/project/${shop}/secrets`;
  const made = await server.ask(admin, 'POST', path, { name: 'mine', stringData: { a: 'b' } });
  const give = (userId: string, projectId: string, roleTemplateId: string) =>
    server.ask(admin, 'POST', '/v3/projectroletemplatebindings', { projectId, roleTemplateId, userId });
  const [reader, member, elsewhere] = [
    await server.makeUser(admin, 'reader'),
    await server.makeUser(admin, 'member'),
    await server.makeUser(admin, 'elsewhere'),
  ];
  await give(reader.id, shop, 'read-only');
  await give(member.id, shop, 'project-member');
  await give(elsewhere.id, other, 'project-owner');
  const asks = [
    ['GET', path],
    ['GET', `${path}/${made.id}`],
    ['PUT', `${path}/${made.id}`],
    ['POST', path],
    ['DELETE', `${path}/${made.id}`],
  ] as const;
  for (const { token } of [reader, elsewhere]) {
    for (const [method, at] of asks) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : { name: 'theirs', stringData: { a: 'c' } };
      const { status } = await server.fetch(method, at, { token, body });
      assert.ok([403, 404].includes(status), `${method} ${at}: ${status}`);
    }
  }
  const through = await server.fetch('GET', `/v3/project/${other}/secrets/${made.id}`, { token: elsewhere.token });
  assert.equal(through.status, 404, 'nor through another project');
  const own = await server.ask(member.token, 'POST', path, { name: 'members', stringData: { a: 'd' } });
  assert.equal((await server.fetch('DELETE', `${path}/${own.id}`, { token: member.token })).status, 204);
});
