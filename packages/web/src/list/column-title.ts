/** What a column is called: translated where many lists have it, else as the cluster calls it. */
import type { TFunction } from 'i18next';
import type { ListColumn } from './columns.ts';

export function columnTitle(t: TFunction, { title, label }: Pick<ListColumn, 'title' | 'label'>): string {
  if (label !== undefined) return label;
  return t(`columns.${title.replace(/[^A-Za-z]/g, '')}`, { defaultValue: title });
}
