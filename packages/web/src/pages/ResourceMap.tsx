/** What belongs together in a cluster, group by group, as a picture or as a list; what is not well comes first. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'wouter';
import { addressOf } from '../app/place.ts';
import { useViewState } from '../app/view-state.ts';
import { NamespacePicker, useChosenNamespaces } from '../list/NamespacePicker.tsx';
import type { MapGroup } from '../map/graph.ts';
import { MapList } from '../map/MapList.tsx';
import { MapPicture } from '../map/MapPicture.tsx';
import { mostOfEach, useMap } from '../map/use-map.ts';
import { FilterInput } from '../parts/FilterInput.tsx';
import { Empty, Failure, Skeleton } from '../parts/Notices.tsx';
import { Title } from '../parts/Title.tsx';

const groupsAtOnce = 20;
const mostAlone = 200;

export function ResourceMap() {
  const { t } = useTranslation();
  const { clusterId = '' } = useParams<{ clusterId: string }>();
  const [namespaces] = useChosenNamespaces();
  const [text, setText] = useViewState('q');
  const [view, setView] = useViewState('view');
  const [unwell, setUnwell] = useViewState('unwell');
  const [most, setMost] = useState(groupsAtOnce);
  const { map, isPending, error, retry, isCut, missing } = useMap(clusterId, namespaces);
  const words = text.trim().toLowerCase();
  const fits = ({ nodes, isUnwell }: MapGroup) =>
    (unwell === '' || isUnwell) && (words === '' || nodes.some(({ name }) => name.toLowerCase().includes(words)));
  const groups = map.groups.filter(fits);
  const alone = unwell ? [] : map.alone.filter(({ name }) => name.toLowerCase().includes(words)).slice(0, mostAlone);
  return (
    <>
      <Title
        title={t('map.title')}
        beside={<span className="facts">{isPending ? '' : t('map.groups', { count: groups.length })}</span>}
      />
      <p className="lead">
        {t('map.hint')} {view === '' && t('map.keys')}
      </p>
      <div className="tools map-tools">
        <NamespacePicker clusterId={clusterId} />
        <FilterInput label={t('list.filter')} value={text} onChange={setText} />
        <span className="chips">
          {(['', 'list'] as const).map(one => (
            <button key={one} type="button" className="chip" aria-pressed={view === one} onClick={() => setView(one)}>
              {t(one === 'list' ? 'map.asList' : 'map.asMap')}
            </button>
          ))}
          <button
            type="button"
            className="chip"
            aria-pressed={unwell !== ''}
            onClick={() => setUnwell(unwell ? '' : 'yes')}
          >
            {t('map.onlyUnwell')}
          </button>
        </span>
      </div>
      {isCut && <p className="hint-line">{t('map.cut', { count: mostOfEach })}</p>}
      {missing.length > 0 && <p className="hint-line">{t('map.missing', { kinds: missing.join(', ') })}</p>}
      {isPending && map.groups.length === 0 && <Skeleton lines={8} />}
      {error !== undefined && error !== null && <Failure error={error} retry={retry} />}
      {!isPending && !error && groups.length === 0 && <Empty title={t('map.none')} hint={t('map.noneHint')} />}
      {groups
        .slice(0, most)
        .map(group =>
          view === 'list' ? (
            <MapList key={group.key} group={group} clusterId={clusterId} />
          ) : (
            <MapPicture key={group.key} group={group} clusterId={clusterId} />
          ),
        )}
      {groups.length > most && (
        <button type="button" onClick={() => setMost(most + groupsAtOnce)}>
          {t('map.showMore')}
        </button>
      )}
      {alone.length > 0 && (
        <details className="map-alone">
          <summary>
            {t('map.alone')} <b>{alone.length}</b>
          </summary>
          <ul>
            {alone.map(({ key, kind, name, plural, id, namespace }) => (
              <li key={key}>
                <Link href={addressOf(clusterId, plural, id)}>
                  {kind} <span className="strong">{name}</span>
                </Link>{' '}
                <span className="dim">{namespace}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
