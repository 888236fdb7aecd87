/**
 * What can be done with all the rows that are chosen, or with all that match: each is tried for itself, and what was refused is told one
 * by one.
 */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { allRows } from '../list/all-rows.ts';
import type { RowsWish } from '../list/rows.ts';
import type { KubeObject } from '../net/objects.ts';
import { Icon } from '../parts/Icon.tsx';
import { showToast } from '../parts/toasts.ts';
import { type Action, actions, fitsKind, isAllowed } from './actions.ts';
import { BulkDialog } from './BulkDialog.tsx';

export interface SelectionBarProps {
  readonly rows: readonly KubeObject[];
  readonly wish: RowsWish;
  /** How many there are with this filter. */
  readonly total: number;
  readonly choose: (rows: readonly KubeObject[]) => void;
}

const most = 5000;

export function SelectionBar({ rows, wish, total, choose }: SelectionBarProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<Action>();
  const [busy, setBusy] = useState(false);
  const { kind } = wish;
  const objects = rows.map(row => ({ ...row, kind: kind.kind }));
  const offered = actions.filter(action => fitsKind(action, kind.kind));
  const chooseAll = async (): Promise<void> => {
    setBusy(true);
    try {
      choose(await allRows(wish, { most }));
    } catch (error) {
      showToast({ text: t('list.selectAll', { count: total }), error });
    }
    setBusy(false);
  };
  return (
    <section className="selection" aria-label={t('list.selected', { count: rows.length })}>
      <strong>{t('list.selected', { count: rows.length })}</strong>
      {offered.map(action => {
        const isOffered = objects.some(object => isAllowed(action, object));
        return (
          <button
            key={action.name}
            type="button"
            className={action.name === 'remove' ? 'danger' : ''}
            disabled={!isOffered}
            title={isOffered ? undefined : t('act.denied', { verb: action.verb, resource: kind.resource })}
            onClick={() => setOpen(action)}
          >
            <Icon name={action.icon} />
            {t(`act.${action.name}`)}
          </button>
        );
      })}
      <span className="spread" />
      {rows.length < total && (
        <button type="button" className="plain" disabled={busy} onClick={() => void chooseAll()}>
          {t('list.selectAll', { count: Math.min(total, most) })}
        </button>
      )}
      <button type="button" className="plain" onClick={() => choose([])}>
        {t('list.selectNone')}
      </button>
      {open && (
        <BulkDialog action={open} objects={objects} onClose={() => setOpen(undefined)} onDone={() => choose([])} />
      )}
    </section>
  );
}
