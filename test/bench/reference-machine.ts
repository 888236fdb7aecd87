/**
 * Where this machine stands beside the one that the absolute aims of this project were set on: times and rates elsewhere mean something
 * only beside how fast the machine is, and the yardstick is what kube-apiserver answers on both.
 */
import { type Resource, until } from '@drover/base';
import { type Connection, configMaps, KubeClient } from '@drover/kube';
import { missingApiServer, startApiServer } from '../integration/kube-apiserver.ts';
import { compareLoads, directWay, type Way } from './load.ts';
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
export function besideReference(connections: Connections, perSecond: number, note = ''): Row {
  const name = `${note}kube-apiserver itself at ${connections}`;
  return row(name, perSecond, there[connections], {
    unit: 'req/s',
    higherIsBetter: true,
    peer: 'the reference machine',
  });
}

/** How fast this machine is beside that one: times taken here are so much shorter there, rates so much higher, where it is below 1. */
export function speedOf(connections: Connections, perSecond: number): number {
  return perSecond / there[connections];
}

/** A kube-apiserver that ends with the scope, to be measured beside others in the same rounds. None where this machine has none. */
export async function startReference(scope: AsyncDisposableStack): Promise<Way | undefined> {
  const why = missingApiServer();
  if (why !== undefined) {
    process.stderr.write(`  skipped: how fast this machine is: ${why}\n`);
    return undefined;
  }
  const api = scope.use(await startApiServer());
  await makeOneObject(api.connection);
  return { ...directWay(api.connection), asks: oneObject };
}

/** How fast this machine is, for benches whose own rounds have no place for it. */
export async function referenceRows({ quick }: { readonly quick: boolean }): Promise<Row[]> {
  await using scope = new AsyncDisposableStack();
  const way = await startReference(scope);
  if (!way) return [];
  const rows: Row[] = [];
  for (const connections of [1, 8] as const) {
    const how = { path: oneObject, connections, seconds: quick ? 1 : 3, rounds: quick ? 1 : 3 };
    const [seen] = await compareLoads([way], how);
    rows.push(besideReference(connections, seen!.perSecond));
  }
  return rows;
}
