/**
 * The OpenAPI document and the pages, of what is in a real cluster: each collection below a cluster and a project answers as
 * the document says, and has a page.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type ServerProcess, startServer } from '../server-process.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;

let cluster: TestApiServer;
let server: ServerProcess;
let admin: string;
let ids: Readonly<Record<string, string>>;
before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  server = await startServer({ args: ['--cluster', 'context:test'], env: { KUBECONFIG: cluster.kubeconfigPath } });
  admin = await server.login();
  const find = async () => {
    const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
    return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
  };
  const clusterId = await until('the cluster to be active', find, { timeoutMs: 60_000 });
  const namespaces = `/v3/cluster/${clusterId}/namespaces`;
  const rights = async () => (await server.fetch('GET', namespaces, { token: admin })).status === 200;
  await until('rights in the cluster', rights, { timeoutMs: 60_000 });
  const { id: projectId } = await server.ask(admin, 'POST', '/v3/projects', { name: 'shop', clusterId });
  await server.ask(admin, 'POST', namespaces, { name: 'shop', projectId });
  ids = { '{clusterId}': clusterId, '{projectId}': projectId };
  const container = {
    name: 'web',
    image: 'web:1',
    ports: [{ containerPort: 80, protocol: 'TCP' }],
    env: [{ name: 'A', value: 'b' }],
  };
  const samples = {
    deployments: { scale: 1, containers: [container] },
    statefulsets: { scale: 1, containers: [container] },
    cronjobs: { cronJobConfig: { schedule: '0 0 * * *' }, containers: [container], restartPolicy: 'Never' },
    configmaps: { data: { a: '1' } },
    services: { ports: [{ port: 80, protocol: 'TCP', name: 'http' }], selector: { app: 'web' } },
    namespacedsecrets: { data: { a: 'eA==' } },
  };
  for (const [plural, sample] of Object.entries(samples)) {
    const body = { name: `a-${plural}`, namespaceId: 'shop', ...sample };
    await server.ask(admin, 'POST', `/v3/project/${projectId}/${plural}`, body);
  }
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

test('each collection in the cluster answers as the document says, and has a page', { skip }, async t => {
  const document = await server.ask(admin, 'GET', '/v3/openapi.json');
  const checker = new Ajv2020({ strict: false, validateFormats: false });
  checker.addSchema({ $id: 'api', ...document });
  const live = Object.entries(document.paths as Record<string, { get?: object }>).filter(
    ([path, { get }]) => get && /^\/v3\/(cluster|project)\/\{\w+\}\/\w+$/.test(path),
  );
  assert.ok(live.length >= 20, `${live.length}`);
  let filled = 0;
  for (const [path] of live) {
    const real = path.replace(/\{\w+\}/, name => ids[name]!);
    const { data, ...rest } = await server.ask(admin, 'GET', real);
    const pointer = path.replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D');
    const check = checker.compile({ $ref: `api#/paths/${pointer}/get/responses/200/content/application~1json/schema` });
    assert.ok(check({ ...rest, data }), `${path}: ${JSON.stringify(check.errors?.slice(0, 3))}`);
    if (data.length > 0) filled++;
    for (const address of [
      real,
      ...data.slice(0, 1).map((one: { links: { self: string } }) => one.links.self.slice(server.url.length)),
    ]) {
      const page = await server.fetch('GET', `${address}?_format=html`, { token: admin });
      assert.deepEqual([page.status, page.headers['content-type']], [200, 'text/html; charset=utf-8'], address);
    }
  }
  t.diagnostic(`${live.length} collections, ${filled} of them with something in them`);
  assert.ok(filled >= 8, `${filled}`);
});
