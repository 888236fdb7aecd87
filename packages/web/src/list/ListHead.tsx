/** The head of a list: what each column is, and the way to sort by it. */
// biome-ignore-all lint/a11y/useSemanticElements: rows that are not drawn have no place in a table element
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus and names its active row
import { useTranslation } from 'react-i18next';
import { Icon } from '../parts/Icon.tsx';
import { columnTitle } from './column-title.ts';
import type { ListColumn } from './columns.ts';

export interface ListHeadProps {
  readonly columns: readonly ListColumn[];
  readonly sort: string;
  readonly template: string;
  readonly onSort?: (sort: string) => void;
  readonly hasBox: boolean;
}

export function ListHead({ columns, sort, template, onSort, hasBox }: ListHeadProps) {
  const { t } = useTranslation();
  return (
    <div role="row" aria-rowindex={1} className="line head" style={{ gridTemplateColumns: template }}>
      {hasBox && (
        <span role="columnheader">
          <span className="unseen">{t('list.selection')}</span>
        </span>
      )}
      {columns.map(column => {
        const title = columnTitle(t, column);
        const direction = sort === column.sort ? 'ascending' : sort === `-${column.sort}` ? 'descending' : 'none';
        const next = direction === 'ascending' ? `-${column.sort}` : column.sort;
        return (
          <span key={column.id} role="columnheader" aria-sort={direction}>
            {onSort ? (
              <button
                type="button"
                className="plain"
                title={t('list.sortBy', { column: title })}
                onClick={() => onSort(next)}
              >
                <span>{title}</span>
                {direction !== 'none' && <Icon name={direction === 'ascending' ? 'up' : 'down'} />}
              </button>
            ) : (
              title
            )}
          </span>
        );
      })}
    </div>
  );
}
