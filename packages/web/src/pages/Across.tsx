/** One kind in all clusters that somebody reaches, with those named that can't be asked just now. */
import { useQueries } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'wouter';
import { useClusters } from '../app/clusters.ts';
import { pluralOf } from '../app/groups.ts';
import { kindName } from '../app/kind-name.ts';
import { acrossAddress } from '../app/place.ts';
import { useViewState } from '../app/view-state.ts';
import { columnsOf } from '../list/columns.ts';
import { MergedList } from '../list/MergedList.tsx';
import { type Source, useMerged } from '../list/merged.ts';
import { kindsQuery } from '../net/kinds.ts';
import { FilterInput } from '../parts/FilterInput.tsx';
import { Empty, Skeleton } from '../parts/Notices.tsx';
import { formatCount } from '../parts/quantity.ts';
import { Title } from '../parts/Title.tsx';

const offered = [
  { plural: 'pods', kind: 'Pod' },
  { plural: 'apps.deployments', kind: 'Deployment' },
  { plural: 'nodes', kind: 'Node' },
  { plural: 'services', kind: 'Service' },
  { plural: 'events', kind: 'Event' },
];
const saidAnyway: ReadonlySet<string> = new Set(['name', 'state', 'namespace', 'Age']);

export function Across() {
  const { t, i18n } = useTranslation();
  const { plural = '' } = useParams<{ plural: string }>();
  const [text, setText] = useViewState('q');
  const [sort, setSort] = useViewState('sort');
  const clusters = useClusters();
  const all = clusters.data?.rows ?? [];
  const kinds = useQueries({ queries: all.map(({ id }) => ({ ...kindsQuery(id), retry: false })) });
  const sources: Source[] = [];
  const failed: { source: Source; error: unknown }[] = [];
  const waiting: Source[] = [];
  all.forEach(({ id, name }, i) => {
    const { data, error, isPending } = kinds[i]!;
    const kind = data?.get(plural);
    const named = { clusterId: id, label: name, kind: kind ?? ({ plural } as Source['kind']) };
    if (kind) sources.push(named);
    else if (error) failed.push({ source: named, error });
    else if (isPending) waiting.push(named);
  });
  const merged = useMerged(sources, { text });
  const kind = sources[0]?.kind;
  const known = offered.find(one => one.plural === plural);
  const name = kind ? kindName(t, kind) : known ? t(`kinds.${known.kind}`) : pluralOf({ kind: plural });
  if (clusters.isPending) return <Skeleton lines={10} />;
  return (
    <>
      <Title
        title={t('list.acrossTitle', { kinds: name })}
        beside={<span className="facts">{formatCount(merged.count, i18n.language)}</span>}
      />
      <div className="tools">
        <FilterInput label={t('list.filter')} value={text} onChange={setText} />
        <nav className="chips" aria-label={t('list.kind')}>
          {offered.map(one => (
            <Link
              key={one.plural}
              className="button chip"
              href={acrossAddress(one.plural)}
              aria-current={one.plural === plural ? 'page' : undefined}
            >
              {t(`kinds.${one.kind}`)}
            </Link>
          ))}
        </nav>
      </div>
      <MergedList
        label={name}
        merged={{
          ...merged,
          failed: [...failed, ...merged.failed],
          waiting: [...waiting, ...merged.waiting],
          retry: () => {
            merged.retry();
            for (const { isError, refetch } of kinds) if (isError) void refetch();
          },
        }}
        sourceTitle={t('home.cluster')}
        columns={
          kind
            ? columnsOf(kind)
                .filter(({ id, shown }) => shown && !saidAnyway.has(id))
                .map(({ id }) => id)
            : []
        }
        sort={sort}
        onSort={setSort}
        empty={<Empty title={t('list.emptyTitle', { kinds: name })} hint={t('list.emptyHint')} />}
      />
    </>
  );
}
