/** Before something is deleted: what exactly goes, and what goes with it. Where it can't be had back, its name must be typed. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { KubeObject } from '../net/objects.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { errorKey } from '../parts/error-key.ts';
import { Icon } from '../parts/Icon.tsx';
import { remove } from './actions.ts';

export interface RemoveDialogProps {
  readonly objects: readonly KubeObject[];
  readonly onClose: () => void;
  readonly onDone: () => void;
}

type Result = 'done' | Error;
/** With these everything goes that is in them, or data that is nowhere else. */
const irreversible: ReadonlySet<string> = new Set([
  'Namespace',
  'PersistentVolumeClaim',
  'PersistentVolume',
  'CustomResourceDefinition',
  'Node',
]);

export function RemoveDialog({ objects, onClose, onDone }: RemoveDialogProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [results, setResults] = useState<ReadonlyMap<string, Result>>(new Map());
  const kind = objects[0]?.kind ?? '';
  const word = irreversible.has(kind)
    ? objects.length === 1
      ? objects[0]!.metadata.name
      : String(objects.length)
    : '';
  const left = objects.filter(({ id }) => results.get(id) !== 'done');
  const run = async (): Promise<void> => {
    setBusy(true);
    const found = new Map(results);
    for (const object of left) {
      found.set(
        object.id,
        await remove(object).then(
          () => 'done' as const,
          (error: Error) => error,
        ),
      );
      setResults(new Map(found));
    }
    setBusy(false);
    if (![...found.values()].some(result => result !== 'done')) {
      onDone();
      onClose();
    }
  };
  const consequence = t(`act.goes.${kind}`, { defaultValue: '' });
  return (
    <Dialog title={t('act.removeTitle', { count: objects.length, kind })} onClose={onClose}>
      {consequence && <p className="warn consequence">{consequence}</p>}
      <ul className="victims">
        {objects.map(object => {
          const result = results.get(object.id);
          return (
            <li key={object.id}>
              <span className="strong">{object.metadata.name}</span>
              <span className="dim">{object.metadata.namespace}</span>
              {result === 'done' && <Icon name="check" className="ok" />}
              {result instanceof Error && (
                <span className="bad" role="alert">
                  {t(`errors.${errorKey(result)}`)} · {result.message}
                </span>
              )}
            </li>
          );
        })}
      </ul>
      {word && (
        <label className="field">
          <span>{t('act.typeToConfirm', { word })}</span>
          <input value={typed} autoComplete="off" spellCheck={false} onChange={event => setTyped(event.target.value)} />
        </label>
      )}
      <footer>
        <button type="button" onClick={onClose}>
          {t('frame.cancel')}
        </button>
        <button
          type="button"
          className="danger"
          disabled={busy || (word !== '' && typed !== word)}
          onClick={() => void run()}
        >
          {results.size > 0 && !busy ? t('frame.retry') : t('act.remove')}
        </button>
      </footer>
    </Dialog>
  );
}
