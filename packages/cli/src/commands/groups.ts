/** A group, which its provider keeps, and what was given to it here. */
import type { V3Resource } from '../client.ts';
import { type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { alignColumns, type Column, printData, printList } from '../output.ts';

/** By its principal, in any spelling that its provider takes. */
export async function describeGroup(wanted: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const { client } = context;
  const principal = await client.get(`/v3/principals/${encodeURIComponent(wanted)}`);
  const kinds = ['globalRoleBindings', 'clusterRoleTemplateBindings', 'projectRoleTemplateBindings'];
  const lists = await Promise.all(kinds.map(kind => client.list(kind, { groupPrincipalId: principal.id })));
  const roles = lists.flat();
  if (context.format !== 'table') return printData({ principal, roles }, context.format);
  const facts = ['name', 'id', 'provider', 'memberOf'].map(name => [name, String(principal[name] ?? '')]);
  process.stdout.write(`${alignColumns(facts)}\n`);
  const columns: Column<V3Resource>[] = [
    { title: 'WHERE', value: row => (row['projectId'] ?? row['clusterId'] ?? say('everywhere')) as string },
    { title: 'ROLE', value: row => (row['roleTemplateId'] ?? row['globalRoleId']) as string },
    { title: 'ID', value: row => row.id },
  ];
  await printList(roles, columns, { format: 'table', none: say('nothing') });
}
