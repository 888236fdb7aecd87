/** clusters: list, describe with the cause of every state, delete. */
import type { Condition } from '@drover/base';
import type { V3Resource } from '../client.ts';
import { findCluster, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { age, alignColumns, printData, printList } from '../output.ts';
import { askYes } from '../prompt.ts';

const versionOf = (cluster: V3Resource) =>
  (cluster['version'] as { gitVersion?: string } | null | undefined)?.gitVersion;
const amounts = (cluster: V3Resource, field: string) => (cluster[field] ?? {}) as Record<string, string | undefined>;

export async function listClusters(flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const all = await context.client.list('clusters');
  await printList(
    all,
    [
      { title: 'ID', value: cluster => cluster.id },
      { title: 'NAME', value: cluster => cluster.name },
      { title: 'STATE', value: cluster => cluster.state },
      { title: 'PROVIDER', value: cluster => (cluster['provider'] || cluster['driver']) as string | undefined },
      { title: 'VERSION', value: versionOf },
      { title: 'NODES', value: cluster => cluster['nodeCount'] as number | undefined },
      { title: 'AGE', value: cluster => age(cluster['created'] as string) },
      { title: 'MESSAGE', value: cluster => cluster['transitioningMessage'] as string | undefined },
    ],
    { format: context.format, none: say('nothing') },
  );
}

export async function describeCluster(wanted: string | undefined, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const cluster = await findCluster(context, wanted);
  const nodes = await context.client.list('nodes', { clusterId: cluster.id });
  if (context.format !== 'table') return printData({ ...cluster, nodes }, context.format);
  const facts: [string, string | undefined][] = [
    ['Name', cluster.name],
    ['ID', cluster.id],
    ['State', [cluster.state, cluster['transitioningMessage']].filter(Boolean).join(': ')],
    ['Driver', cluster['driver'] as string | undefined],
    ['Version', versionOf(cluster)],
    ['Created', cluster['created'] as string | undefined],
  ];
  process.stdout.write(alignColumns(facts.map(([name, value]) => [`${name}:`, value || '-'])));
  process.stdout.write(`\nResources\n${alignColumns(resourceLines(cluster))}`);
  process.stdout.write(`\nConditions\n${alignColumns(conditionLines((cluster['conditions'] ?? []) as Condition[]))}`);
  process.stdout.write(`\nNodes\n${nodes.length > 0 ? alignColumns(nodeLines(nodes)) : `  ${say('nothing')}\n`}`);
}

function resourceLines(cluster: V3Resource): string[][] {
  const fields = ['capacity', 'allocatable', 'requested', 'limits', 'usage'];
  const rows = ['cpu', 'memory', 'pods'].map(name => [
    `  ${name}`,
    ...fields.map(field => amounts(cluster, field)[name] ?? '-'),
  ]);
  return [['  ', ...fields], ...rows];
}

function conditionLines(conditions: readonly Condition[]): string[][] {
  const rows = conditions.map(condition => [
    `  ${condition.type}`,
    condition.status,
    age(condition.lastTransitionTime) ?? '-',
    [condition.reason, condition.message].filter(Boolean).join(': ') || '-',
  ]);
  return [['  TYPE', 'STATUS', 'SINCE', 'CAUSE'], ...rows];
}

function nodeLines(nodes: readonly V3Resource[]): string[][] {
  const roles = (node: V3Resource) =>
    ['controlPlane', 'etcd', 'worker'].filter(role => node[role] === true).join(',') || '-';
  return [
    ['  NAME', 'STATE', 'ROLES', 'ADDRESS'],
    ...nodes.map(node => [
      `  ${String(node['nodeName'] ?? node.name ?? node.id)}`,
      node.state ?? '-',
      roles(node),
      String(node['ipAddress'] ?? '-'),
    ]),
  ];
}

export async function deleteCluster(wanted: string, flags: GlobalFlags & { readonly yes?: boolean }): Promise<void> {
  await using context = await openContext(flags);
  const cluster = await findCluster(context, wanted);
  const name = cluster.name ?? cluster.id;
  if (!flags.yes && !(await askYes(say('deleteAsk', { type: 'cluster', name }), '--yes'))) return;
  await context.client.delete(cluster);
  process.stderr.write(`${say('deleting', { type: 'cluster', name })}\n`);
}
