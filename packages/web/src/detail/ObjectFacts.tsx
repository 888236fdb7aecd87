/** What an object is and how it does: the cluster's own columns as facts, containers, data, conditions, related pods, events. */
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { cellText } from '../list/cell-text.ts';
import { columnTitle } from '../list/column-title.ts';
import { columnsOf } from '../list/columns.ts';
import type { Kind } from '../net/kinds.ts';
import { type Condition, type KubeObject, listAt } from '../net/objects.ts';
import { useNow } from '../parts/now.ts';
import { formatAge, formatTime } from '../parts/quantity.ts';
import { Said } from '../parts/Said.tsx';
import { Containers } from './Containers.tsx';
import { Data } from './Data.tsx';
import { Related } from './Related.tsx';

export interface ObjectProps {
  readonly clusterId: string;
  readonly kind: Kind;
  readonly object: KubeObject;
}

const saidElsewhere: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'state',
  'Age',
  'Containers',
  'Images',
  'Selector',
]);

/** What kubectl keeps for itself holds the whole object once more: of a Secret its values, uncovered. */
function shownAnnotations({ metadata }: KubeObject): Readonly<Record<string, string>> {
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...shown } = metadata.annotations ?? {};
  return shown;
}

export function ObjectFacts({ clusterId, kind, object }: ObjectProps) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const { creationTimestamp, labels = {} } = object.metadata;
  const annotations = shownAnnotations(object);
  const columns = columnsOf(kind).filter(({ id }) => !saidElsewhere.has(id));
  const conditions = listAt<Condition>(object, 'status.conditions');
  const owners = listAt<{ kind: string; name: string; controller?: boolean }>(object, 'metadata.ownerReferences');
  return (
    <div className="facts-page">
      <dl className="facts-list">
        {columns.map(column => {
          const text = cellText(object, column);
          return (
            text && (
              <Fact key={column.id} name={columnTitle(t, column)}>
                {text}
              </Fact>
            )
          );
        })}
        <Fact name={t('detail.created')}>
          {formatTime(creationTimestamp, i18n.language)}{' '}
          <span className="dim">({formatAge(creationTimestamp, now)})</span>
        </Fact>
        {owners.map(owner => (
          <Fact key={owner.name} name={t('detail.owner')}>
            {owner.kind} {owner.name}
          </Fact>
        ))}
        {Object.keys(labels).length > 0 && (
          <Fact name={t('detail.labels')}>
            <Tags tags={labels} />
          </Fact>
        )}
      </dl>
      <Containers object={object} />
      <Data object={object} />
      {conditions.length > 0 && <Conditions conditions={conditions} />}
      <Related clusterId={clusterId} kind={kind} object={object} />
      {Object.keys(annotations).length > 0 && (
        <details>
          <summary>{t('detail.annotations', { count: Object.keys(annotations).length })}</summary>
          <dl className="facts-list">
            {Object.entries(annotations).map(([name, value]) => (
              <Fact key={name} name={name}>
                <span className="mono">{value}</span>
              </Fact>
            ))}
          </dl>
        </details>
      )}
    </div>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Tags({ tags }: { readonly tags: Readonly<Record<string, string>> }) {
  return (
    <span className="tags">
      {Object.entries(tags).map(([name, value]) => (
        <code key={name}>{value ? `${name}=${value}` : name}</code>
      ))}
    </span>
  );
}

function Conditions({ conditions }: { readonly conditions: readonly Condition[] }) {
  const { t } = useTranslation();
  const now = useNow();
  return (
    <section>
      <h2>{t('detail.conditions')}</h2>
      <div className="table-frame">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t('detail.condition')}</th>
              <th scope="col">{t('detail.value')}</th>
              <th scope="col">{t('columns.Reason')}</th>
              <th scope="col">{t('columns.Message')}</th>
              <th scope="col" className="number">
                {t('detail.since')}
              </th>
            </tr>
          </thead>
          <tbody>
            {conditions.map(one => (
              <tr key={one.type}>
                <th scope="row">{one.type}</th>
                <td className={one.error ? 'bad' : undefined}>{one.status}</td>
                <td>{one.reason}</td>
                <td className="wrap dim">{one.message && <Said words={one.message} />}</td>
                <td className="number dim">{formatAge(one.lastTransitionTime, now)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
