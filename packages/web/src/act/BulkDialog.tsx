/** An action on many: what is about to happen, to whom, and then what became of each; what was refused can be tried again. */
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { kindWord } from '../app/kind-name.ts';
import type { KubeObject } from '../net/objects.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { errorKey } from '../parts/error-key.ts';
import { Icon } from '../parts/Icon.tsx';
import { Said } from '../parts/Said.tsx';
import { type Action, isAllowed } from './actions.ts';
import { actOn, type Back, type Outcome, runBulk } from './bulk.ts';
import { showUndoable } from './recent-changes.ts';

export interface BulkDialogProps {
  readonly action: Action;
  readonly objects: readonly KubeObject[];
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** With these everything goes that is in them, or data that is nowhere else. */
const irreversible: ReadonlySet<string> = new Set([
  'Namespace',
  'PersistentVolumeClaim',
  'PersistentVolume',
  'CustomResourceDefinition',
  'Node',
]);
const mostShown = 500;
const mostReplicas = 10_000;

export function BulkDialog({ action, objects, onClose, onDone }: BulkDialogProps) {
  const { t, i18n } = useTranslation();
  const [typed, setTyped] = useState('');
  const [count, setCount] = useState('1');
  const [running, setRunning] = useState<AbortController>();
  const [outcomes, setOutcomes] = useState<ReadonlyMap<string, Outcome>>(new Map());
  const started = useRef(0);
  const kind = objects[0]?.kind ?? '';
  const isRemoval = action.name === 'remove';
  const name = t(`act.${action.name}`);
  const word =
    isRemoval && irreversible.has(kind)
      ? objects.length === 1
        ? objects[0]!.metadata.name
        : String(objects.length)
      : '';
  const left = objects.filter(object => isAllowed(action, object) && outcomes.get(object.id) !== 'done');
  const refused = objects.length - objects.filter(object => isAllowed(action, object)).length;
  const done = [...outcomes.values()].filter(one => one === 'done').length;
  const run = async (): Promise<void> => {
    const controller = new AbortController();
    setRunning(controller);
    started.current = performance.now();
    const found = new Map(outcomes);
    const backs = await runBulk({
      objects: left,
      signal: controller.signal,
      act: (object, signal) => actOn(action, object, { count: Number(count), signal }),
      onOutcome: (id, outcome) => {
        found.set(id, outcome);
        setOutcomes(new Map(found));
      },
    });
    setRunning(undefined);
    const wasDone = left.filter(({ id }) => found.get(id) === 'done').length;
    if (backs.length === wasDone && wasDone > 0)
      showUndoable(t('act.doneTo', { action: name, count: wasDone }), () => all(backs));
    if (left.every(({ id }) => found.get(id) === 'done')) {
      onDone();
      onClose();
    }
  };
  const consequence = isRemoval ? t(`act.goes.${kind}`, { defaultValue: '' }) : '';
  const rate = running && done > 0 ? done / Math.max(0.1, (performance.now() - started.current) / 1000) : 0;
  const told = { count: objects.length, kind: kindWord(t, { kind }, i18n.language) };
  const title = isRemoval ? t('act.removeTitle', told) : t('act.bulkTitle', { ...told, action: name });
  return (
    <Dialog title={title} onClose={() => (running ? running.abort() : onClose())}>
      {consequence && <p className="warn consequence">{consequence}</p>}
      {refused > 0 && <p className="hint-line warn">{t('act.someRefused', { count: refused })}</p>}
      {action.name === 'scale' && (
        <label className="field">
          <span>{t('act.replicas')}</span>
          <input
            type="number"
            min={0}
            max={mostReplicas}
            required
            value={count}
            onChange={event => setCount(event.target.value)}
          />
        </label>
      )}
      <ul className="victims">
        {objects.slice(0, mostShown).map(object => (
          <Line key={object.id} object={object} outcome={outcomes.get(object.id)} />
        ))}
        {objects.length > mostShown && (
          <li className="dim">{t('act.andMore', { count: objects.length - mostShown })}</li>
        )}
      </ul>
      {word && (
        <label className="field">
          <span>{t('act.typeToConfirm', { word })}</span>
          <input value={typed} autoComplete="off" spellCheck={false} onChange={event => setTyped(event.target.value)} />
        </label>
      )}
      {(running || outcomes.size > 0) && objects.length > 1 && (
        <p className="hint-line" role="status">
          {t('act.progress', { done, count: objects.length })}
          {rate > 0 && ` · ${t('act.rate', { rate: rate.toFixed(1) })}`}
        </p>
      )}
      <footer>
        <button type="button" onClick={() => (running ? running.abort() : onClose())}>
          {t(running ? 'act.stop' : outcomes.size > 0 ? 'frame.close' : 'frame.cancel')}
        </button>
        <button
          type="button"
          className={isRemoval ? 'danger' : 'primary'}
          disabled={running !== undefined || left.length === 0 || (word !== '' && typed !== word)}
          onClick={() => void run()}
        >
          {outcomes.size > 0 && !running ? t('act.tryAgain', { count: left.length }) : name}
        </button>
      </footer>
    </Dialog>
  );
}

function Line({ object, outcome }: { readonly object: KubeObject; readonly outcome: Outcome | undefined }) {
  const { t } = useTranslation();
  return (
    <li>
      <span className="strong">{object.metadata.name}</span>
      <span className="dim">{object.metadata.namespace}</span>
      {outcome === 'done' && <Icon name="check" className="ok" />}
      {outcome === 'stopped' && <span className="warn">{t('act.wasStopped')}</span>}
      {outcome instanceof Error && (
        <span className="bad" role="alert">
          {t(`errors.${errorKey(outcome)}`)} · <Said words={outcome.message} />
        </span>
      )}
    </li>
  );
}

/** Each for itself; the first that is refused is told when all were tried. */
async function all(backs: readonly Back[]): Promise<void> {
  const found = await Promise.allSettled(backs.map(back => back()));
  const failed = found.find(one => one.status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
