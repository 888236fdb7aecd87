/** A table of the server's own resources: columns as functions of a row, and deleting what this person may. */
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { V3Resource } from '../net/objects.ts';
import { pathOf } from '../net/objects.ts';
import { useChange, useV3List } from '../net/v3.ts';
import { Dialog } from './Dialog.tsx';
import { Icon } from './Icon.tsx';
import { Empty, Failure, FormError, Skeleton } from './Notices.tsx';

export interface V3Column {
  readonly title: string;
  readonly cell: (row: V3Resource) => ReactNode;
}

export interface V3TableProps {
  readonly path: string;
  /** Its type as subscribers know it, where it is live. */
  readonly steveType?: string;
  readonly columns: readonly V3Column[];
  readonly nameOf: (row: V3Resource) => string;
  readonly empty: { readonly title: string; readonly hint?: string };
  readonly filter?: (row: V3Resource) => boolean;
  /** In which order they stand; else as they come. */
  readonly order?: (a: V3Resource, b: V3Resource) => number;
  /** Which rows are nobody's to delete, whatever their links say. */
  readonly isFixed?: (row: V3Resource) => boolean;
}

export function V3Table({ path, steveType, columns, nameOf, empty, filter, order, isFixed }: V3TableProps) {
  const { t } = useTranslation();
  const found = useV3List(path, steveType);
  const [removing, setRemoving] = useState<V3Resource>();
  if (found.isPending) return <Skeleton />;
  if (found.isError && !found.data) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const all = (found.data?.data ?? []).filter(row => !filter || filter(row));
  const rows = order ? [...all].sort(order) : all;
  if (rows.length === 0) return <Empty title={empty.title} hint={empty.hint} />;
  return (
    <div className="table-frame">
      <table className="table">
        <thead>
          <tr>
            {columns.map(({ title }) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
            <th scope="col">
              <span className="unseen">{t('act.more')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={row.id}>
              {columns.map(({ title, cell }) => (
                <td key={title}>{cell(row)}</td>
              ))}
              <td className="number">
                {row.links['remove'] && !isFixed?.(row) && (
                  <button
                    type="button"
                    className="plain"
                    aria-label={`${t('act.remove')}: ${nameOf(row)}`}
                    onClick={() => setRemoving(row)}
                  >
                    <Icon name="trash" />
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {removing && <Remove row={removing} name={nameOf(removing)} onClose={() => setRemoving(undefined)} />}
    </div>
  );
}

function Remove({
  row,
  name,
  onClose,
}: {
  readonly row: V3Resource;
  readonly name: string;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const change = useChange();
  const [error, setError] = useState<unknown>();
  const run = async (): Promise<void> => {
    try {
      await change(pathOf(row.links['remove']!), { method: 'DELETE' });
      onClose();
    } catch (refused) {
      setError(refused);
    }
  };
  return (
    <Dialog title={t('manage.removeTitle', { name })} onClose={onClose}>
      <p>{t(`manage.goes.${row.type}`, { defaultValue: '' })}</p>
      <FormError error={error} />
      <footer>
        <button type="button" onClick={onClose}>
          {t('frame.cancel')}
        </button>
        <button type="button" className="danger" onClick={() => void run()}>
          {t('act.remove')}
        </button>
      </footer>
    </Dialog>
  );
}
