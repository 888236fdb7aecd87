/**
 * An object to be edited, as YAML or in a form: what would change is shown as the cluster itself answers a dry run, before anything is
 * saved. Where somebody else was faster, both changes are put together, and one decides only what both changed.
 */
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Clashes } from '../edit/Clashes.tsx';
import { TextOrForm } from '../edit/TextOrForm.tsx';
import { type Clash, type Decisions, mergeThree } from '../edit/three-way.ts';
import type { Kind } from '../net/kinds.ts';
import { type KubeObject, pathOf } from '../net/objects.ts';
import { ask, RequestError } from '../net/request.ts';
import { Icon } from '../parts/Icon.tsx';
import { FormError } from '../parts/Notices.tsx';
import { showToast } from '../parts/toasts.ts';
import { openMerge } from './editor.ts';
import { plainObject, readYaml, toYaml, withRevision } from './yaml.ts';

type Json = Record<string, unknown>;

/** What is about to be saved, and beside what it is shown. */
interface Review {
  readonly body: Json;
  readonly before: string;
  readonly after: string;
  /** Where somebody was faster: what the three versions are. */
  readonly three?: {
    readonly base: Json;
    readonly theirs: Json;
    readonly mine: Json;
    readonly clashes: readonly Clash[];
  };
}

export interface YamlTabProps {
  readonly clusterId: string;
  readonly object: KubeObject;
  readonly kind: Kind;
}

/** Without the revision, which always differs. */
function bare(object: KubeObject | Json): Json {
  const plain = 'links' in object ? plainObject(object as KubeObject) : object;
  const { resourceVersion: _, generation: __, ...metadata } = (plain['metadata'] ?? {}) as Json;
  return { ...plain, metadata };
}

export function YamlTab({ clusterId, object, kind }: YamlTabProps) {
  const { t } = useTranslation();
  const link = object.links['update'];
  const mayEdit = link !== undefined && link !== 'blocked';
  const [base, setBase] = useState(object);
  const original = toYaml(plainObject(base));
  const [text, setText] = useState(original);
  const [review, setReview] = useState<Review>();
  const [decisions, setDecisions] = useState<Decisions>(new Map());
  const [error, setError] = useState<unknown>();
  const isChanged = text !== original;
  const isBehind = base.metadata.resourceVersion !== object.metadata.resourceVersion;
  const begin = (from: KubeObject): void => {
    setBase(from);
    setText(toYaml(plainObject(from)));
  };
  // What is live replaces what nobody has touched.
  // biome-ignore lint/correctness/useExhaustiveDependencies: begin only sets
  useEffect(() => {
    if (isBehind && !isChanged && !review) begin(object);
  }, [isBehind, isChanged, review, object]);
  const put = (body: Json, dryRun: boolean) =>
    ask<KubeObject>(`${pathOf(object.links['self']!)}?fieldManager=drover-ui${dryRun ? '&dryRun=All' : ''}`, {
      method: 'PUT',
      body,
    });
  const look = async (body: Json): Promise<void> => {
    setError(undefined);
    try {
      const answer = await put(body, true);
      setReview({ body, before: original, after: toYaml(plainObject(answer)) });
    } catch (refused) {
      if (!(refused instanceof RequestError) || refused.status !== 409) setError(refused);
      else await join(body, new Map());
    }
  };
  /** Puts what somebody else saved and this edit together, on what is there now. */
  const join = async (mine: Json, decided: Decisions): Promise<void> => {
    const now = await ask<KubeObject>(`${pathOf(object.links['self']!)}?exclude=metadata.managedFields`);
    const three = { base: bare(base), theirs: bare(now), mine: bare(mine) };
    const { value, clashes } = mergeThree(three.base, three.theirs, three.mine, decided);
    const body = withRevision(value as Json, now.metadata.resourceVersion);
    setDecisions(decided);
    setReview({ body, before: toYaml(plainObject(now)), after: toYaml(body), three: { ...three, clashes } });
  };
  const decide = (path: string, side: 'theirs' | 'mine'): void => {
    if (!review?.three) return;
    const next = new Map([...decisions, [path, side] as const]);
    const { base: from, theirs, mine } = review.three;
    const { resourceVersion } = review.body['metadata'] as { resourceVersion?: string };
    const body = withRevision(mergeThree(from, theirs, mine, next).value as Json, resourceVersion);
    setDecisions(next);
    setReview({ ...review, body, after: toYaml(body) });
  };
  const save = async ({ body, three }: Review): Promise<void> => {
    try {
      const saved = await put(body, false);
      setReview(undefined);
      begin(saved);
      showToast({ text: t('detail.saved', { name: object.metadata.name }) });
    } catch (refused) {
      // Once more somebody was faster: what he did is looked at like the first time.
      if (refused instanceof RequestError && refused.status === 409) await join(three?.mine ?? body, decisions);
      else {
        setReview(undefined);
        setError(refused);
      }
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
      {!review && (
        <TextOrForm
          clusterId={clusterId}
          kind={kind}
          text={text}
          label={`${kind.kind} ${object.metadata.name}, YAML`}
          isReadOnly={!mayEdit}
          onChange={setText}
        />
      )}
      {review && (
        <>
          {review.three && <Joined clashes={review.three.clashes} decisions={decisions} decide={decide} />}
          <Changes
            before={review.before}
            after={review.after}
            labels={[t('detail.before'), t(review.three ? 'detail.joined' : 'detail.after')]}
            onSave={() => void save(review)}
            onBack={() => setReview(undefined)}
          />
        </>
      )}
      {!review && mayEdit && (
        <div className="row">
          <button type="button" className="primary" disabled={!value} onClick={() => void look(value!)}>
            {t('detail.review')}
          </button>
          <button type="button" disabled={!isChanged} onClick={() => begin(object)}>
            {t('detail.discard')}
          </button>
        </div>
      )}
    </div>
  );
}

interface JoinedProps {
  readonly clashes: readonly Clash[];
  readonly decisions: Decisions;
  readonly decide: (path: string, side: 'theirs' | 'mine') => void;
}

function Joined({ clashes, decisions, decide }: JoinedProps) {
  const { t } = useTranslation();
  return (
    <>
      <p className="hint-line warn">{t(clashes.length > 0 ? 'detail.conflict' : 'detail.fits')}</p>
      <Clashes clashes={clashes} decisions={decisions} decide={decide} />
    </>
  );
}

export interface ChangesProps {
  readonly before: string;
  readonly after: string;
  readonly labels: readonly [string, string];
  readonly onSave: () => void;
  readonly onBack: () => void;
}

function Changes({ before, after, labels, onSave, onBack }: ChangesProps) {
  const { t } = useTranslation();
  const place = useRef<HTMLDivElement>(null);
  const [left, right] = labels;
  useEffect(() => {
    const view = openMerge(place.current!, { before, after, labels: [left, right] });
    return () => view.destroy();
  }, [before, after, left, right]);
  const isSame = before === after;
  return (
    <>
      {isSame && <p className="hint-line">{t('detail.nothing')}</p>}
      <div className="sides">
        <span>{left}</span>
        <span>{right}</span>
      </div>
      <div ref={place} className="merge" />
      <div className="row">
        <button type="button" className="primary" disabled={isSame} onClick={onSave}>
          {t('frame.save')}
        </button>
        <button type="button" onClick={onBack}>
          {t('detail.back')}
        </button>
      </div>
    </>
  );
}
