/** How many of a workload there should be; what it was can be had back for a while. */
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { KubeObject } from '../net/objects.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { FormError } from '../parts/Notices.tsx';
import { showToast } from '../parts/toasts.ts';
import { scale } from './actions.ts';

export interface ScaleDialogProps {
  readonly object: KubeObject;
  readonly now: number;
  readonly onClose: () => void;
}

const most = 10_000;

export function ScaleDialog({ object, now, onClose }: ScaleDialogProps) {
  const { t } = useTranslation();
  const [count, setCount] = useState(String(now));
  const [error, setError] = useState<unknown>();
  const { name } = object.metadata;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setError(undefined);
    try {
      await scale(object, Number(count));
    } catch (refused) {
      setError(refused);
      return;
    }
    const undo = (): void => {
      scale(object, now).then(
        () => showToast({ text: t('act.undone', { name }) }),
        (refused: unknown) => showToast({ text: name, error: refused }),
      );
    };
    showToast({ text: t('act.done', { action: t('act.scale'), name }), undo });
    onClose();
  };
  return (
    <Dialog title={t('act.scaleTitle', { name })} onClose={onClose}>
      <form onSubmit={event => void submit(event)}>
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
        <FormError error={error} />
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
