/** How v3 resources are shown: columns by the names of their fields, and what is said when one was made or changed. */
import type { V3Resource } from '../client.ts';
import type { Context } from '../context.ts';
import { age, type Column, printData } from '../output.ts';

export const column = (title: string, name: string): Column<V3Resource> => ({
  title,
  value: row => row[name] as string | undefined,
});

/** How long ago the time in that field was. */
export const ageColumn = (title = 'AGE', name = 'created'): Column<V3Resource> => ({
  title,
  value: row => age(row[name] as string | undefined),
});

/** The line for people, the resource for programs. */
export async function tellDone(context: Context, resource: V3Resource, line: string): Promise<void> {
  if (context.format === 'table') process.stdout.write(`${line}\n`);
  else await printData(resource, context.format);
}
