/** A cell as text: empty where the cluster wrote that there is nothing. */
import type { KubeObject } from '../net/objects.ts';
import type { ListColumn } from './columns.ts';

const nothing: ReadonlySet<string> = new Set(['<none>', '<unset>', '<unknown>', 'null']);

export function cellText({ metadata }: KubeObject, { id, field, label }: ListColumn): string {
  if (id === 'name') return metadata.name;
  if (id === 'namespace') return metadata.namespace ?? '';
  if (label !== undefined) return metadata.labels?.[label] ?? '';
  if (id === 'state') return metadata.state?.name ?? '';
  const value = field === undefined ? undefined : metadata.fields?.[field];
  const text = value === undefined || value === null ? '' : String(value);
  return nothing.has(text) ? '' : text;
}
