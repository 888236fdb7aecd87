/** A table of rows from several lists, drawn as they come into sight; it says which lists are missing, and why. */
// biome-ignore-all lint/a11y/useSemanticElements: rows that are not drawn have no place in a table element
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus and names its active row
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the grid takes the keys
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { addressOf } from '../app/place.ts';
import { usePref } from '../app/prefs.ts';
import { errorKey } from '../parts/error-key.ts';
import { Icon } from '../parts/Icon.tsx';
import { Skeleton } from '../parts/Notices.tsx';
import { useNow } from '../parts/now.ts';
import { formatAge } from '../parts/quantity.ts';
import { Said } from '../parts/Said.tsx';
import { State } from '../parts/State.tsx';
import { cellText } from './cell-text.ts';
import { columnTitle } from './column-title.ts';
import { columnsOf, headText, widthsOf } from './columns.ts';
import { ListHead } from './ListHead.tsx';
import { type Merged, type MergedRow, sortMerged } from './merged.ts';

export interface MergedListProps {
  readonly label: string;
  readonly merged: Merged;
  /** What the column of the source is called. */
  readonly sourceTitle: string;
  /** Names of columns that the clusters give, beside those that all have. */
  readonly columns: readonly string[];
  readonly sort: string;
  readonly onSort: (sort: string) => void;
  readonly empty: ReactNode;
}

const rowPx = { normal: 36, dense: 28 } as const;

/** What stands in a column of the row, whichever kind it is of. */
export function mergedText({ source, object }: MergedRow, column: string): string {
  if (column === 'source') return source.label;
  if (column === 'Age')
    return String(Date.now() - Date.parse(object.metadata.creationTimestamp ?? '')).padStart(16, '0');
  const found = columnsOf(source.kind).find(({ id }) => id === column);
  if (found) return cellText(object, found);
  return column === 'name' ? object.metadata.name : '';
}

export function MergedList({ label, merged, sourceTitle, columns, sort, onSort, empty }: MergedListProps) {
  const { t } = useTranslation();
  const now = useNow();
  const frame = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(-1);
  const [, navigate] = useLocation();
  const density = usePref('density');
  const rows = sortMerged(merged.rows, sort || 'name', mergedText);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => rowPx[density],
    overscan: 12,
  });
  const shown = [
    { id: 'name', title: 'Name' },
    { id: 'source', title: sourceTitle, label: sourceTitle },
    { id: 'state', title: 'State' },
    { id: 'namespace', title: 'Namespace' },
    ...columns.map(id => ({ id, title: id })),
    { id: 'Age', title: 'Age' },
  ].map(column => ({ ...column, sort: column.id, shown: true }));
  const textOf = (row: MergedRow, id: string) =>
    id === 'Age' ? formatAge(row.object.metadata.creationTimestamp, now) : mergedText(row, id);
  const template = widthsOf(
    shown.map(column => [headText(columnTitle(t, column)), ...rows.slice(0, 100).map(row => textOf(row, column.id))]),
  );
  const addressOfRow = ({ source, object }: MergedRow) => addressOf(source.clusterId, source.kind.plural, object.id);
  const onKey = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      j: 1,
      ArrowUp: -1,
      k: -1,
      PageDown: 15,
      PageUp: -15,
    };
    const step = steps[event.key];
    if (step !== undefined) {
      const index = Math.max(0, Math.min(rows.length - 1, active + step));
      setActive(index);
      virtual.scrollToIndex(index);
    } else if (event.key === 'Enter' && rows[active]) navigate(addressOfRow(rows[active]));
    else return;
    event.preventDefault();
  };
  return (
    <>
      <Missing merged={merged} />
      {rows.length === 0 && merged.waiting.length > 0 && <Skeleton lines={10} />}
      {rows.length === 0 && merged.waiting.length === 0 && merged.failed.length === 0 && empty}
      {rows.length > 0 && (
        <div
          ref={frame}
          className={`list${rows.length < 6 ? ' fitting' : ''}`}
          role="grid"
          aria-label={label}
          aria-rowcount={rows.length + 1}
          aria-activedescendant={active >= 0 ? `row-${active}` : undefined}
          tabIndex={0}
          onKeyDown={onKey}
        >
          <ListHead columns={shown} sort={sort || 'name'} template={template} onSort={onSort} hasBox={false} />
          <div className="rows" role="rowgroup" style={{ blockSize: `${virtual.getTotalSize()}px` }}>
            {virtual.getVirtualItems().map(({ index, start, size }) => {
              const row = rows[index]!;
              return (
                <div
                  key={`${row.source.clusterId} ${row.source.kind.plural} ${row.object.id}`}
                  id={`row-${index}`}
                  role="row"
                  aria-rowindex={index + 2}
                  className={`line${index === active ? ' active' : ''}`}
                  style={{ gridTemplateColumns: template, blockSize: `${size}px`, transform: `translateY(${start}px)` }}
                  onClick={event => {
                    if ((event.target as HTMLElement).closest('a, button')) return;
                    setActive(index);
                    if (!getSelection()?.toString()) navigate(addressOfRow(row));
                  }}
                >
                  {shown.map(({ id }) => (
                    <span key={id} role="gridcell">
                      {id === 'name' ? (
                        <Link href={addressOfRow(row)} className="strong" tabIndex={-1}>
                          {row.object.metadata.name}
                        </Link>
                      ) : id === 'state' ? (
                        row.object.metadata.state && <State state={row.object.metadata.state} />
                      ) : (
                        <span className={id === 'source' ? 'dim' : undefined} title={textOf(row, id)}>
                          {textOf(row, id)}
                        </span>
                      )}
                    </span>
                  ))}
                </div>
              );
            })}
          </div>
        </div>
      )}
      {merged.count > merged.rows.length && (
        <p className="hint-line">{t('list.cutOff', { shown: merged.rows.length, count: merged.count })}</p>
      )}
    </>
  );
}

/** Which sources could not be asked, each with its cause; the others are there all the same. */
function Missing({ merged: { failed, waiting, rows, retry } }: { readonly merged: Merged }) {
  const { t } = useTranslation();
  if (failed.length === 0 && (waiting.length === 0 || rows.length === 0)) return null;
  return (
    <div className="missing" role="status">
      {failed.length > 0 && (
        <details>
          <summary>
            <Icon name="bad" className="warn" /> {t('list.unreachable', { count: failed.length })}
          </summary>
          <ul>
            {failed.map(({ source, error }) => (
              <li key={`${source.clusterId} ${source.kind.plural}`}>
                <strong>{source.label}</strong> · {t(`errors.${errorKey(error)}`)}
                <span className="dim">
                  {' '}
                  <Said words={(error as Error).message} />
                </span>
              </li>
            ))}
          </ul>
          <button type="button" onClick={retry}>
            {t('frame.retry')}
          </button>
        </details>
      )}
      {waiting.length > 0 && rows.length > 0 && (
        <span className="dim">{t('list.stillAsking', { names: waiting.map(({ label }) => label).join(', ') })}</span>
      )}
    </div>
  );
}
