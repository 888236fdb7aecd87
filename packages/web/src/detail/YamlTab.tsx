/**
 * An object's YAML, to be edited: what would change is shown as the cluster itself answers a dry run, before anything is saved. Where
 * somebody else was faster, his version stands beside, and one decides.
 */
import type { EditorView } from '@codemirror/view';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Kind } from '../net/kinds.ts';
import { type KubeObject, pathOf } from '../net/objects.ts';
import { ask, RequestError } from '../net/request.ts';
import { Icon } from '../parts/Icon.tsx';
import { FormError } from '../parts/Notices.tsx';
import { showToast } from '../parts/toasts.ts';
import { openEditor, openMerge } from './editor.ts';
import { plainObject, readYaml, toYaml, withRevision } from './yaml.ts';

type Json = Record<string, unknown>;

/** What is about to be saved, and beside what it is shown. */
interface Review {
  readonly body: Json;
  readonly before: string;
  readonly after: string;
  readonly isConflict: boolean;
}

export function YamlTab({ object, kind }: { readonly object: KubeObject; readonly kind: Kind }) {
  const { t } = useTranslation();
  const link = object.links['update'];
  const mayEdit = link !== undefined && link !== 'blocked';
  const [base, setBase] = useState(object);
  const [text, setText] = useState('');
  const [review, setReview] = useState<Review>();
  const [error, setError] = useState<unknown>();
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView>(undefined);
  const original = toYaml(plainObject(base));
  const isChanged = text !== '' && text !== original;
  const isBehind = base.metadata.resourceVersion !== object.metadata.resourceVersion;
  const label = `${kind.kind} ${object.metadata.name}, YAML`;
  // What is live replaces what nobody has touched.
  useEffect(() => {
    if (isBehind && !isChanged && !review) setBase(object);
  }, [isBehind, isChanged, review, object]);
  useEffect(() => {
    const made = openEditor(place.current!, { text: original, label, isReadOnly: !mayEdit, onChange: setText });
    editor.current = made;
    setText(original);
    return () => made.destroy();
  }, [original, label, mayEdit]);
  const put = (body: Json, dryRun: boolean) =>
    ask<KubeObject>(`${pathOf(object.links['self']!)}?fieldManager=drover-ui${dryRun ? '&dryRun=All' : ''}`, {
      method: 'PUT',
      body,
    });
  const look = async (body: Json): Promise<void> => {
    setError(undefined);
    try {
      const answer = await put(body, true);
      setReview({ body, before: original, after: toYaml(plainObject(answer)), isConflict: false });
    } catch (refused) {
      if (!(refused instanceof RequestError) || refused.status !== 409) {
        setError(refused);
        return;
      }
      const now = await ask<KubeObject>(`${pathOf(object.links['self']!)}?exclude=metadata.managedFields`);
      const mine = withRevision(body, now.metadata.resourceVersion);
      setReview({ body: mine, before: toYaml(plainObject(now)), after: toYaml(mine), isConflict: true });
    }
  };
  const save = async ({ body }: Review): Promise<void> => {
    try {
      const saved = await put(body, false);
      setReview(undefined);
      setBase(saved);
      showToast({ text: t('detail.saved', { name: object.metadata.name }) });
    } catch (refused) {
      setReview(undefined);
      // Once more somebody was faster: what he did is looked at like the first time.
      if (refused instanceof RequestError && refused.status === 409) await look(body);
      else setError(refused);
    }
  };
  const { value, fault } = isChanged ? readYaml(text) : {};
  return (
    <div className="yaml">
      {!mayEdit && (
        <p className="hint-line">
          <Icon name="help" />
          {t('act.denied', { verb: 'update', resource: kind.resource })}
        </p>
      )}
      {isBehind && isChanged && <p className="hint-line warn">{t('detail.behind')}</p>}
      {fault && <p className="form-error">{fault}</p>}
      <FormError error={error} />
      <div ref={place} className="editor" hidden={review !== undefined} />
      {review && <Changes review={review} onSave={() => void save(review)} onBack={() => setReview(undefined)} />}
      {!review && mayEdit && (
        <div className="row">
          <button type="button" className="primary" disabled={!value} onClick={() => void look(value!)}>
            {t('detail.review')}
          </button>
          <button type="button" disabled={!isChanged} onClick={() => setBase({ ...object })}>
            {t('detail.discard')}
          </button>
        </div>
      )}
    </div>
  );
}

interface ChangesProps {
  readonly review: Review;
  readonly onSave: () => void;
  readonly onBack: () => void;
}

function Changes({ review, onSave, onBack }: ChangesProps) {
  const { t } = useTranslation();
  const place = useRef<HTMLDivElement>(null);
  const { before, after, isConflict } = review;
  const left = t(isConflict ? 'detail.theirs' : 'detail.before');
  const right = t(isConflict ? 'detail.mine' : 'detail.after');
  useEffect(() => {
    const view = openMerge(place.current!, { before, after, labels: [left, right] });
    return () => view.destroy();
  }, [before, after, left, right]);
  const isSame = before === after;
  return (
    <>
      {isConflict && <p className="hint-line warn">{t('detail.conflict')}</p>}
      {isSame && <p className="hint-line">{t('detail.nothing')}</p>}
      <div className="sides">
        <span>{left}</span>
        <span>{right}</span>
      </div>
      <div ref={place} className="merge" />
      <div className="row">
        <button type="button" className="primary" disabled={isSame} onClick={onSave}>
          {t(isConflict ? 'detail.saveOver' : 'frame.save')}
        </button>
        <button type="button" onClick={onBack}>
          {t('detail.back')}
        </button>
      </div>
    </>
  );
}
