/** What the way over the server costs to `local`, the cluster that it runs itself, beside asking that kube-apiserver directly. */
import { join } from 'node:path';
import { type Resource, until } from '@drover/base';
import { controlPlaneBinaries } from '@drover/engine';
import { configMaps, KubeClient, loadKubeconfig, toConnection } from '@drover/kube';
import { findKubeBinaries, missingKubeBinaries } from '../integration/kube-binaries.ts';
import { startServer } from '../server-process.ts';
import { compareLoads, directWay, type Way } from './load.ts';
import { lower, type Row } from './row.ts';

const binaries = [...controlPlaneBinaries, 'kubectl'];

export const missing = () => missingKubeBinaries(...binaries);

export async function run({ quick = false }: { readonly quick?: boolean } = {}): Promise<Row[]> {
  const began = performance.now();
  await using server = await startServer({
    args: ['--cluster', 'control-plane', '--kube-bin-dir', findKubeBinaries(...binaries)!],
  });
  const token = await server.login();
  const isActive = async () => (await server.ask(token, 'GET', '/v3/clusters/local')).state === 'active';
  await until('local to be active', isActive, { timeoutMs: 120_000, everyMs: 100 });
  const activeMs = performance.now() - began;

  const connection = await toConnection(await loadKubeconfig({ path: join(server.dataDir, 'local/kubeconfig') }));
  await using kube = new KubeClient(connection);
  const metadata = { name: 'one', namespace: 'default' };
  const one = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'x'.repeat(700) } } as Resource;
  await kube.create(configMaps, one);
  const direct = directWay(connection);
  const ours: Way = {
    origin: server.url,
    path: '/k8s/clusters/local',
    headers: { authorization: `Bearer ${token}` },
    tls: { ca: server.ca },
    pids: [server.child.pid!],
  };
  const how = { connections: 1, seconds: quick ? 2 : 4, rounds: quick ? 1 : 5 };
  const path = '/api/v1/namespaces/default/configmaps/one';
  const [base, got] = await compareLoads([direct, ours], { path, ...how });
  return [
    lower('up on a fresh directory: local active after', activeMs / 1000, 's'),
    { ...lower('GET to local, p50 (peer: direct)', got!.p50, 'ms'), peer: base!.p50 },
    lower('GET to local, p50: added', got!.p50 - base!.p50, 'ms'),
    lower('GET to local: server CPU', got!.cpu[0]!, 'µs/req'),
  ];
}
