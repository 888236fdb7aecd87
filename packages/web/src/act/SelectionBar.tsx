/** What can be done with all the rows that are chosen: each is tried for itself, and what was refused is told one by one. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Kind } from '../net/kinds.ts';
import type { KubeObject } from '../net/objects.ts';
import { Icon } from '../parts/Icon.tsx';
import { actions, isAllowed } from './actions.ts';
import { RemoveDialog } from './RemoveDialog.tsx';

export interface SelectionBarProps {
  readonly rows: readonly KubeObject[];
  readonly kind: Kind;
  readonly clear: () => void;
}

export function SelectionBar({ rows, kind, clear }: SelectionBarProps) {
  const { t } = useTranslation();
  const [removing, setRemoving] = useState(false);
  const remove = actions.find(({ name }) => name === 'remove')!;
  const allowed = rows.filter(row => isAllowed(remove, row));
  return (
    <section className="selection" aria-label={t('list.selected', { count: rows.length })}>
      <strong>{t('list.selected', { count: rows.length })}</strong>
      <button
        type="button"
        className="danger"
        disabled={allowed.length === 0}
        title={allowed.length === 0 ? t('act.denied', { verb: 'delete', resource: kind.resource }) : undefined}
        onClick={() => setRemoving(true)}
      >
        <Icon name="trash" />
        {t('act.remove')}
      </button>
      <button type="button" className="plain" onClick={clear}>
        {t('list.selectNone')}
      </button>
      {removing && <RemoveDialog objects={allowed} onClose={() => setRemoving(false)} onDone={clear} />}
    </section>
  );
}
