/**
 * Where this machine stands beside the one that the absolute aims of this project were set on: times and rates elsewhere mean something
 * only beside how fast the machine is, and the yardstick is what kube-apiserver answers on both.
 */
import { type Resource, until } from '@drover/base';
import { type Connection, configMaps, KubeClient } from '@drover/kube';
import { missingApiServer, startApiServer } from '../integration/kube-apiserver.ts';
import { compareLoads, directWay } from './load.ts';
import { type Row, row } from './row.ts';

/** GETs a second that it answers there, by connections. */
const there = { 1: 1850, 8: 5319 } as const;

export type Connections = keyof typeof there;

/** The object that is read, as the kube-apiserver knows it. */
export const oneObject = '/api/v1/namespaces/default/configmaps/one';

/** Makes the object once the kube-apiserver has the namespace. */
export async function makeOneObject(connection: Connection): Promise<void> {
  await using client = new KubeClient(connection);
  const metadata = { name: 'one', namespace: 'default' };
  const one = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'x'.repeat(700) } } as Resource;
  await until('the default namespace', () => client.create(configMaps, one).then(() => true));
}

/** What a kube-apiserver answered here beside what it answers there. */
export function besideReference(connections: Connections, perSecond: number): Row {
  const name = `kube-apiserver itself at ${connections}`;
  return row(name, perSecond, there[connections], {
    unit: 'req/s',
    higherIsBetter: true,
    peer: 'the reference machine',
  });
}

/** The same for benches that need no kube-apiserver otherwise: one is started for it. None where this machine has none. */
export async function referenceRows({ quick }: { readonly quick: boolean }): Promise<Row[]> {
  const why = missingApiServer();
  if (why !== undefined) {
    process.stderr.write(`  skipped: how fast this machine is: ${why}\n`);
    return [];
  }
  await using api = await startApiServer();
  await makeOneObject(api.connection);
  const rows: Row[] = [];
  for (const connections of [1, 8] as const) {
    const how = { path: oneObject, connections, seconds: quick ? 1 : 3, rounds: quick ? 1 : 3 };
    const [seen] = await compareLoads([directWay(api.connection)], how);
    rows.push(besideReference(connections, seen!.perSecond));
  }
  return rows;
}
