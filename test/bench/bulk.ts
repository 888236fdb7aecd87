/** Lists of 52 MB through the tunnel against the same lists from the kube-apiserver itself, in turn. */
import { type Resource, until } from '@drover/base';
import { configMaps, KubeClient } from '@drover/kube';
import { missingApiServer, type TestApiServer } from '../integration/kube-apiserver.ts';
import { inParallel } from './in-parallel.ts';
import { compareBulk } from './load.ts';
import { residentMb } from './process-figures.ts';
import { startTwoWays } from './proxy-way.ts';
import { lower, type Row, row } from './row.ts';

export const missing = missingApiServer;

export async function run({ quick = false }: { readonly quick?: boolean } = {}): Promise<Row[]> {
  await using scope = new AsyncDisposableStack();
  const { api, direct, ours } = await startTwoWays(scope);
  const [server, agent] = ours.pids as [number, number];
  const rows: Row[] = [];
  for (const list of lists) {
    await seed(api, list);
    const path = `/api/v1/namespaces/${list.namespace}/configmaps`;
    const [base, got] = await compareBulk([direct, ours], path, quick ? 3 : 9);
    const name = `50 MB list of ${list.objects}`;
    rows.push(
      row(name, got!.mbPerSecond, base!.mbPerSecond, { unit: 'MB/s', higherIsBetter: true }),
      lower(`${name}, server CPU`, got!.cpuMs[0]!, 'ms'),
      lower(`${name}, agent CPU`, got!.cpuMs[1]!, 'ms'),
    );
  }
  return [
    ...rows,
    lower('server memory after 50 MB lists', await residentMb(server), 'MB'),
    lower('agent memory after 50 MB lists', await residentMb(agent), 'MB'),
  ];
}

/** As clusters have them; and objects as large as they may be, which a kube-apiserver sends nearly as they lie in its cache. */
const lists: readonly List[] = [
  { namespace: 'kube-system', objects: 5200, bytes: 10_000 },
  { namespace: 'kube-public', objects: 52, bytes: 1_000_000 },
];

interface List {
  readonly namespace: string;
  readonly objects: number;
  readonly bytes: number;
}

async function seed(api: TestApiServer, { namespace, objects, bytes }: List): Promise<void> {
  await using client = new KubeClient(api.connection);
  const data = { a: 'x'.repeat(bytes) };
  const make = async (index: number) => {
    const metadata = { name: `big-${index}`, namespace };
    await client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as Resource);
  };
  await until('its namespace', () => make(0).then(() => true));
  await inParallel(objects - 1, index => make(index + 1), 8);
}
