/** A list of 52 MB through the tunnel against the same list from the kube-apiserver itself, in turn. */
import { type Resource, until } from '@drover/base';
import { configMaps, KubeClient } from '@drover/kube';
import { missingApiServer, type TestApiServer } from '../integration/kube-apiserver.ts';
import { compareBulk } from './load.ts';
import { residentMb } from './process-figures.ts';
import { startTwoWays } from './proxy-way.ts';
import { lower, type Row, row } from './row.ts';

export const missing = missingApiServer;

export async function run({ quick = false }: { readonly quick?: boolean } = {}): Promise<Row[]> {
  await using scope = new AsyncDisposableStack();
  const { api, direct, ours } = await startTwoWays(scope);
  await seed(api);
  const [base, got] = await compareBulk([direct, ours], bigList, quick ? 3 : 9);
  const [server, agent] = ours.pids as [number, number];
  return [
    row('50 MB list', got!.mbPerSecond, base!.mbPerSecond, { unit: 'MB/s', higherIsBetter: true }),
    lower('50 MB list, server CPU', got!.cpuMs[0]!, 'ms'),
    lower('50 MB list, agent CPU', got!.cpuMs[1]!, 'ms'),
    lower('server memory after 50 MB lists', await residentMb(server), 'MB'),
    lower('agent memory after 50 MB lists', await residentMb(agent), 'MB'),
  ];
}

const bigList = '/api/v1/namespaces/kube-public/configmaps';

async function seed(api: TestApiServer): Promise<void> {
  await using client = new KubeClient(api.connection);
  const data = { a: 'x'.repeat(1_000_000) };
  for (let i = 0; i < 52; i++) {
    const metadata = { name: `big-${i}`, namespace: 'kube-public' };
    const big = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as Resource;
    await until('its namespace', () => client.create(configMaps, big).then(() => true));
  }
}
