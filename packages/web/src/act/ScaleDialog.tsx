/** How many of a workload there should be. It closes at once: the new number shows, and goes again should it be refused. */
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '../parts/Dialog.tsx';
import { showToast } from '../parts/toasts.ts';
import { replicas } from './actions.ts';
import { showUndoable } from './recent-changes.ts';

export interface ScaleDialogProps {
  readonly name: string;
  readonly now: number;
  readonly change: (body: unknown) => Promise<unknown>;
  readonly onClose: () => void;
}

const most = 10_000;

export function ScaleDialog({ name, now, change, onClose }: ScaleDialogProps) {
  const { t } = useTranslation();
  const [count, setCount] = useState(String(now));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const text = t('act.done', { action: t('act.scale'), name });
    change(replicas(Number(count))).then(
      () => showUndoable(text, () => change(replicas(now))),
      (error: unknown) => showToast({ text, error }),
    );
    onClose();
  };
  return (
    <Dialog title={t('act.scaleTitle', { name })} onClose={onClose}>
      <form onSubmit={submit}>
        <label className="field">
          <span>{t('act.replicas')}</span>
          <input
            type="number"
            min={0}
            max={most}
            required
            value={count}
            onChange={event => setCount(event.target.value)}
          />
          <small>{t('act.scaleNow', { count: now })}</small>
        </label>
        <footer>
          <button type="button" onClick={onClose}>
            {t('frame.cancel')}
          </button>
          <button type="submit" className="primary">
            {t('act.scale')}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
