/**
 * A live list of any kind: columns of the cluster's own, filtered, sorted and paged by the server, rows drawn as they come into sight.
 * A page that shows one gives a kind; what else is to be held fixed goes into `filters`.
 */
// biome-ignore-all lint/a11y/useSemanticElements: rows that are not drawn have no place in a table element
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus and names its active row
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the grid takes the keys
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { isKey, type KeyName, keyOf } from '../app/key-map.ts';
import { addressOf } from '../app/place.ts';
import { usePref } from '../app/prefs.ts';
import { tabsOf } from '../detail/tabs.ts';
import type { KubeObject } from '../net/objects.ts';
import { Failure, Skeleton } from '../parts/Notices.tsx';
import { Cell } from './Cell.tsx';
import { cellText } from './cell-text.ts';
import { columnTitle } from './column-title.ts';
import { headText, type ListColumn, widthsOf } from './columns.ts';
import { ListHead } from './ListHead.tsx';
import { ReadingLine } from './ReadingLine.tsx';
import { pageSize, type RowsWish, useRows } from './rows.ts';
import { useKeptRow } from './use-kept-row.ts';

export interface LiveListProps {
  readonly wish: RowsWish;
  readonly columns: readonly ListColumn[];
  readonly onSort?: (sort: string) => void;
  /** What stands there when there is no row. */
  readonly empty: ReactNode;
  readonly selection?: Selection;
  /** Asks whether a row is to be deleted. */
  readonly onRemove?: (row: KubeObject) => void;
  /** Where the id of the active row is kept, and set, for a list that is a page. */
  readonly kept?: readonly [string, (id: string) => void];
  /** Told of the first rows whenever they are others. */
  readonly onSeen?: (rows: readonly KubeObject[]) => void;
}

export interface Selection {
  readonly chosen: ReadonlyMap<string, KubeObject>;
  readonly toggle: (row: KubeObject) => void;
}

/** Which tabs of an object a key opens from its row. */
const tabKeys: Readonly<Record<string, readonly KeyName[]>> = {
  yaml: ['edit', 'yaml'],
  logs: ['logs'],
  terminal: ['shell'],
};

function stepOf(event: KeyboardEvent): number {
  if (event.key === 'ArrowDown' || event.key.toLowerCase() === keyOf('down').toLowerCase()) return 1;
  if (event.key === 'ArrowUp' || event.key.toLowerCase() === keyOf('up').toLowerCase()) return -1;
  return event.key === 'PageDown' ? 15 : event.key === 'PageUp' ? -15 : 0;
}

const rowPx = { normal: 36, dense: 28 } as const;

export function LiveList({ wish, columns, onSort, empty, selection, onRemove, onSeen, kept }: LiveListProps) {
  const { t } = useTranslation();
  const frame = useRef<HTMLDivElement>(null);
  const [, navigate] = useLocation();
  const [active, setActive] = useState(-1);
  const [pages, setPages] = useState<readonly number[]>([0]);
  const density = usePref('density');
  const keysOn = usePref('keys') === 'on';
  const rows = useRows(wish, pages);
  const { kind, clusterId } = wish;
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever is told need not hold its function still
  useEffect(() => onSeen?.(rows.first), [rows.first]);
  const virtual = useVirtualizer({
    count: rows.count,
    getScrollElement: () => frame.current,
    estimateSize: () => rowPx[density],
    overscan: 12,
    onChange: ({ range }) => {
      if (!range) return;
      const seen = [Math.floor(range.startIndex / pageSize), Math.floor(range.endIndex / pageSize)];
      const wanted = Array.from({ length: seen[1]! - seen[0]! + 1 }, (_, i) => seen[0]! + i);
      if (wanted.join() !== pages.join()) setPages(wanted);
    },
  });
  const toActive = (index: number): void => {
    setActive(index);
    virtual.scrollToIndex(index);
  };
  useKeptRow(kept, rows, active, toActive);
  if (rows.isPending) return <Skeleton lines={10} />;
  if (rows.error) return <Failure error={rows.error} retry={rows.retry} />;
  if (rows.count === 0) return rows.reading ? <ReadingLine reading={rows.reading} /> : empty;
  const widths = widthsOf(
    columns.map(column => [headText(columnTitle(t, column)), ...rows.first.map(row => cellText(row, column))]),
  );
  const template = `${selection ? '36px ' : ''}${widths}`;
  const open = (row: KubeObject, tab = ''): void => {
    // Whoever comes back finds it where it was.
    kept?.[1](row.id);
    navigate(`${addressOf(clusterId, kind.plural, row.id)}${tab && `?tab=${tab}`}`);
  };
  const move = (to: number): void => toActive(Math.max(0, Math.min(rows.count - 1, to)));
  const onKey = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = rows.at(active);
    const step = stepOf(event);
    const [tab] = Object.entries(tabKeys).find(([, names]) => names.some(name => isKey(event, name))) ?? [];
    if (step !== 0) {
      if (event.shiftKey && row) selection?.toggle(row);
      move(active + step);
    } else if (event.key === 'Home') move(0);
    else if (event.key === 'End') move(rows.count - 1);
    else if (isKey(event, 'open') && row) open(row);
    else if (isKey(event, 'select') && row) selection?.toggle(row);
    else if (isKey(event, 'remove') && row) onRemove?.(row);
    else if (tab && row && keysOn && tabsOf(kind.kind).includes(tab)) open(row, tab);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div
        ref={frame}
        className={`list${rows.count < 6 ? ' fitting' : ''}`}
        role="grid"
        aria-label={kind.kind}
        aria-rowcount={rows.count + 1}
        aria-multiselectable={selection ? true : undefined}
        aria-busy={rows.isOld}
        aria-activedescendant={active >= 0 ? `row-${active}` : undefined}
        tabIndex={0}
        onKeyDown={onKey}
      >
        <ListHead
          columns={columns}
          sort={wish.sort}
          template={template}
          onSort={onSort}
          hasBox={selection !== undefined}
        />
        <div className="rows" role="rowgroup" style={{ blockSize: `${virtual.getTotalSize()}px` }}>
          {virtual.getVirtualItems().map(({ index, start, size }) => {
            const row = rows.at(index);
            const chosen = row !== undefined && selection?.chosen.has(row.id) === true;
            return (
              <div
                key={row?.metadata.uid ?? row?.id ?? index}
                id={`row-${index}`}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={selection ? chosen : undefined}
                className={`line${index === active ? ' active' : ''}${chosen ? ' chosen' : ''}`}
                style={{ gridTemplateColumns: template, blockSize: `${size}px`, transform: `translateY(${start}px)` }}
                onClick={event => {
                  if (!row || (event.target as HTMLElement).closest('a, button, input, label')) return;
                  setActive(index);
                  if (!getSelection()?.toString()) open(row);
                }}
              >
                {selection && (
                  <span role="gridcell" className="box">
                    <input
                      type="checkbox"
                      tabIndex={-1}
                      checked={chosen}
                      disabled={!row}
                      aria-label={t('list.select', { name: row?.metadata.name ?? '' })}
                      onChange={() => row && selection.toggle(row)}
                    />
                  </span>
                )}
                {columns.map(column => (
                  <span key={column.id} role="gridcell" className={column.id === 'name' ? 'first' : undefined}>
                    {row ? (
                      <Cell column={column} row={row} clusterId={clusterId} plural={kind.plural} />
                    ) : (
                      <i className="ghost" />
                    )}
                  </span>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      {rows.reading && <ReadingLine reading={rows.reading} />}
    </>
  );
}
