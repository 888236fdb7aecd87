/** What was done in this tab, with a button for each that takes it back. */
import { useTranslation } from 'react-i18next';
import { openOverlay } from '../app/overlay.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useNow } from '../parts/now.ts';
import { formatAge } from '../parts/quantity.ts';
import { takeBack, useRecentChanges } from './recent-changes.ts';

export function RecentChanges() {
  const { t } = useTranslation();
  const changes = useRecentChanges();
  const now = useNow();
  return (
    <Dialog title={t('act.recent')} onClose={() => openOverlay(undefined)}>
      {changes.length === 0 && <p className="lead">{t('act.noRecent')}</p>}
      <ul className="victims">
        {changes.map(({ id, text, at, state }) => (
          <li key={id}>
            <span className="strong">{text}</span>
            <span className="dim">{formatAge(new Date(at).toISOString(), now)}</span>
            <span className="spread" />
            {state === 'undone' ? (
              <span className="dim">{t('act.wasUndone')}</span>
            ) : (
              <button type="button" disabled={state === 'busy'} onClick={() => void takeBack(id)}>
                <Icon name="undo" />
                {t('act.undo')}
              </button>
            )}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
