/** What stands in a cell: the cluster's own text, made easier to read where it is a state, an age, or nothing. */
import { Link } from 'wouter';
import { addressOf } from '../app/place.ts';
import type { KubeObject } from '../net/objects.ts';
import { useNow } from '../parts/now.ts';
import { formatAge } from '../parts/quantity.ts';
import { State } from '../parts/State.tsx';
import { cellText } from './cell-text.ts';
import type { ListColumn } from './columns.ts';

export interface CellProps {
  readonly column: ListColumn;
  readonly row: KubeObject;
  readonly clusterId: string;
  readonly plural: string;
}

export function Cell({ column, row, clusterId, plural }: CellProps) {
  const { metadata } = row;
  if (column.id === 'name')
    return (
      <Link href={addressOf(clusterId, plural, row.id)} className="strong" tabIndex={-1}>
        {metadata.name}
      </Link>
    );
  if (column.id === 'state') return metadata.state ? <State state={metadata.state} /> : null;
  if (column.id === 'Age') return <Age since={metadata.creationTimestamp} />;
  const text = cellText(row, column);
  if (column.id === 'Type' && plural === 'events')
    return <span className={text === 'Warning' ? 'warn' : 'dim'}>{text}</span>;
  if (column.id === 'Node' && plural === 'pods' && text)
    return <Link href={addressOf(clusterId, 'nodes', text)}>{text}</Link>;
  return <span title={text}>{text}</span>;
}

function Age({ since }: { readonly since: string | undefined }) {
  const now = useNow();
  return <time dateTime={since}>{formatAge(since, now)}</time>;
}
