/** Where toasts show, and are read out. */
import { useTranslation } from 'react-i18next';
import { said } from '../texts/said/index.ts';
import { errorKey } from './error-key.ts';
import { Icon } from './Icon.tsx';
import { closeToast, useToasts } from './toasts.ts';

export function Toasts() {
  const { t } = useTranslation();
  const toasts = useToasts();
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map(({ id, text, error, undo }) => (
        <div key={id} className={`toast${error ? ' bad' : ''}`}>
          <Icon name={error ? 'bad' : 'check'} className={error ? 'bad' : 'ok'} />
          <span title={error ? (error as Error).message : undefined}>
            {text}
            {error ? ` · ${t(`errors.${errorKey(error)}`)} · ${said((error as Error).message)}` : ''}
          </span>
          {undo && (
            <button
              type="button"
              className="plain"
              onClick={() => {
                closeToast(id);
                undo();
              }}
            >
              {t('act.undo')}
            </button>
          )}
          <button type="button" className="plain" aria-label={t('frame.close')} onClick={() => closeToast(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
