/** DNS records in a real cluster: what each leads to, as the service that the cluster's own DNS answers from. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasReason, type Resource, until } from '@drover/base';
import { endpoints, KubeClient, services } from '@drover/kube';
import { type ServerProcess, startServer } from '../server-process.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;
let cluster: TestApiServer;
let server: ServerProcess;
let kube: KubeClient;
let admin: string;
let path: string;
let workloads: string;

before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  kube = new KubeClient(cluster.connection);
  server = await startServer({ args: ['--cluster', 'context:test'], env: { KUBECONFIG: cluster.kubeconfigPath } });
  admin = await server.login();
  const id = await until(
    'the cluster to be active',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
      return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
    },
    { timeoutMs: 60_000 },
  );
  const project = (await server.ask(admin, 'POST', '/v3/projects', { name: 'shop', clusterId: id })).id;
  await until('rights in the cluster', async () => {
    const body = { name: 'shop', projectId: project };
    return (await server.fetch('POST', `/v3/cluster/${id}/namespaces`, { token: admin, body })).status === 201;
  });
  path = `/v3/project/${project}/dnsrecords`;
  workloads = `/v3/project/${project}/workloads`;
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

interface DnsTarget extends Resource {
  readonly spec: {
    readonly type: string;
    readonly externalName?: string;
    readonly clusterIP?: string;
    readonly selector?: object;
  };
}
interface Endpoints extends Resource {
  readonly subsets: readonly { readonly addresses: readonly { readonly ip: string }[] }[];
}

const specOf = async (name: string) => (await kube.get<DnsTarget>(services, name, { namespace: 'shop' })).spec;
const addressesOf = async (name: string) =>
  (await kube.get<Endpoints>(endpoints, name, { namespace: 'shop' })).subsets[0]!.addresses.map(({ ip }) => ip);
const make = (name: string, body: object) => server.ask(admin, 'POST', path, { name, namespaceId: 'shop', ...body });

test('a host, addresses, another record, a workload and a selector are each a service', {
  skip,
  timeout: 120_000,
}, async () => {
  const host = await make('host', { hostname: 'db.example.com' });
  assert.deepEqual([host.type, host.id, host.hostname], ['dnsRecord', 'shop:host', 'db.example.com']);
  const { type, externalName } = await specOf('host');
  assert.deepEqual([type, externalName], ['ExternalName', 'db.example.com']);
  await server.ask(admin, 'PUT', `${path}/${host.id}`, { hostname: 'other.example.com' });
  assert.equal((await specOf('host')).externalName, 'other.example.com');

  const ips = await make('ips', { ipAddresses: ['192.0.2.1', '192.0.2.2'] });
  assert.deepEqual([(await specOf('ips')).clusterIP, await addressesOf('ips')], ['None', ['192.0.2.1', '192.0.2.2']]);
  const changed = await server.ask(admin, 'PUT', `${path}/${ips.id}`, { ipAddresses: ['192.0.2.3'] });
  assert.deepEqual([changed.ipAddresses, await addressesOf('ips')], [['192.0.2.3'], ['192.0.2.3']]);

  const alias = await make('alias', { targetDnsRecordIds: [ips.id] });
  assert.equal((await specOf('alias')).externalName, 'ips.shop.svc.cluster.local');
  assert.deepEqual(alias.targetDnsRecordIds, [ips.id]);

  const containers = [{ name: 'main', image: 'none.invalid/none' }];
  const workload = await server.ask(admin, 'POST', workloads, { name: 'web', namespaceId: 'shop', containers });
  await make('web-dns', { targetWorkloadIds: [workload.id] });
  const { selector } = await specOf('web-dns');
  assert.ok(Object.keys(selector!).length > 0);
  await make('picked', { selector: { app: 'x' } });
  assert.deepEqual([(await specOf('picked')).clusterIP, (await specOf('picked')).selector], ['None', { app: 'x' }]);

  const { data } = await server.ask(admin, 'GET', `${path}?sort=name`);
  assert.ok(
    ['alias', 'host', 'ips', 'picked', 'web-dns'].every(name =>
      data.some((one: { name: string }) => one.name === name),
    ),
  );
  assert.ok((await server.fetch('DELETE', `${path}/${host.id}`, { token: admin })).status < 300);
  await assert.rejects(specOf('host'), error => hasReason(error, 'NotFound'));
});

test('what leads nowhere, to two places or to what is not there is refused, and nothing is made', {
  skip,
  timeout: 60_000,
}, async () => {
  const cases = [
    [{}, 422, 'hostname'],
    [{ hostname: 'a.example.com', ipAddresses: ['192.0.2.1'] }, 422, 'ipAddresses'],
    [{ ipAddresses: ['not.an.address'] }, 422, 'ipAddresses'],
    [{ targetDnsRecordIds: ['shop:ips', 'shop:alias'] }, 422, 'targetDnsRecordIds'],
    [{ targetDnsRecordIds: ['shop:nowhere'] }, 404, undefined],
    [{ targetWorkloadIds: ['deployment:shop:nowhere'] }, 404, undefined],
  ] as const;
  for (const [body, status, field] of cases) {
    const answer = await server.fetch('POST', path, {
      token: admin,
      body: { name: 'bad', namespaceId: 'shop', ...body },
    });
    assert.deepEqual([answer.status, answer.body.fieldName], [status, field], JSON.stringify(body));
  }
  await assert.rejects(specOf('bad'), error => hasReason(error, 'NotFound'));
  const turned = await server.fetch('PUT', `${path}/shop:ips`, { token: admin, body: { hostname: 'a.example.com' } });
  assert.deepEqual([turned.status, turned.body.code], [422, 'InvalidOption']);
});
