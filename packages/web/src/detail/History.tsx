/** What happened in a cluster, or to one object of it: events and changes with the fields that differ, newest first, as the server has kept them. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { addressOf } from '../app/place.ts';
import { useViewState } from '../app/view-state.ts';
import { useKinds } from '../net/kinds.ts';
import { ask } from '../net/request.ts';
import { Icon } from '../parts/Icon.tsx';
import { Empty, Failure, Skeleton } from '../parts/Notices.tsx';
import { useNow } from '../parts/now.ts';
import { formatAge, formatTime } from '../parts/quantity.ts';
import { useSettled } from '../parts/use-settled.ts';

interface Entry {
  readonly id: string;
  readonly at: string;
  readonly type: 'event' | 'change' | 'gap';
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly warning?: boolean;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly what?: 'made' | 'changed' | 'deleted';
  readonly fields?: readonly { readonly path: string; readonly before?: string; readonly after?: string }[];
}

interface Page {
  readonly data: readonly Entry[];
  readonly next: string | null;
}

export interface HistoryProps {
  readonly clusterId: string;
  /** Of one object alone; without its kind, of what is made out of it too. */
  readonly about?: { readonly kind?: string; readonly name: string; readonly namespace?: string };
}

const choices = ['', 'warning', 'event', 'change'] as const;
const pageSize = 25;
const againMs = 10_000;
const pauseMs = 300;

export function History({ clusterId, about }: HistoryProps) {
  const { t } = useTranslation();
  const [of, setOf] = useViewState('past');
  const [typed, setTyped] = useViewState('pastText');
  const text = useSettled(typed, pauseMs);
  const wish = { clusterId, of, text, limit: String(pageSize), ...about };
  const found = useInfiniteQuery({
    queryKey: ['history', wish],
    initialPageParam: '',
    refetchInterval: againMs,
    queryFn: ({ pageParam, signal }) => {
      const all = Object.entries({ ...wish, before: pageParam }).filter(([, value]) => value);
      return ask<Page>(`/v1-history?${new URLSearchParams(all as [string, string][])}`, { signal });
    },
    getNextPageParam: last => last.next ?? undefined,
  });
  const entries = [...new Map(found.data?.pages.flatMap(({ data }) => data.map(one => [one.id, one]))).values()];
  const isFiltered = of !== '' || text !== '';
  return (
    <section className="history" aria-label={t('history.title')}>
      <div className="tools">
        <span className="chips">
          {choices.map(one => (
            <button key={one} type="button" className="chip" aria-pressed={of === one} onClick={() => setOf(one)}>
              {t(`history.of.${one || 'all'}`)}
            </button>
          ))}
        </span>
        <input
          type="search"
          value={typed}
          placeholder={t('history.text')}
          aria-label={t('history.text')}
          onChange={event => setTyped(event.target.value)}
        />
      </div>
      {found.isPending && <Skeleton lines={4} />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data && entries.length === 0 && (
        <Empty
          icon="event"
          title={t(isFiltered ? 'history.noneFits' : 'history.none')}
          hint={isFiltered ? undefined : t('history.noneHint')}
        />
      )}
      {entries.length > 0 && (
        <ol>
          {entries.map(entry => (
            <Line key={entry.id} entry={entry} clusterId={clusterId} />
          ))}
        </ol>
      )}
      {found.hasNextPage && (
        <button type="button" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('history.older')}
        </button>
      )}
    </section>
  );
}

function Line({ entry, clusterId }: { readonly entry: Entry; readonly clusterId: string }) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const { type, warning, what, reason, message, count = 1, fields = [], at } = entry;
  const tone = warning || type === 'gap' || what === 'deleted' ? 'warn' : type === 'change' ? 'changed' : 'dim';
  return (
    <li className={tone}>
      <Icon name={type === 'change' ? 'edit' : warning || type === 'gap' ? 'bad' : 'event'} className={tone} />
      <time dateTime={at} title={formatTime(at, i18n.language)}>
        {formatAge(at, now)}
      </time>
      <div>
        {type === 'gap' ? (
          t('history.gap', { count })
        ) : (
          <>
            <About entry={entry} clusterId={clusterId} /> {what && t(`history.what.${what}`)}
            {reason && <strong>{reason}</strong>}
            {count > 1 && <span className="dim"> · {t('history.times', { count })}</span>}
          </>
        )}
        {message && <p>{message}</p>}
        {fields.length > 0 && (
          <dl>
            {fields.map(({ path, before, after }) => (
              <div key={path}>
                <dt>
                  <code>{path}</code>
                </dt>
                <dd>
                  <del>{before ?? t('history.nothing')}</del> <span aria-hidden="true">→</span>{' '}
                  <ins>{after ?? t('history.nothing')}</ins>
                </dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </li>
  );
}

/** What it is about, as a link where the cluster has that kind. */
function About({ entry, clusterId }: { readonly entry: Entry; readonly clusterId: string }) {
  const kinds = useKinds(clusterId).data;
  const kind = [...(kinds?.values() ?? [])].find(one => one.kind === entry.kind);
  const text = (
    <>
      {entry.kind} <span className="strong">{entry.name}</span>
    </>
  );
  if (!kind || entry.what === 'deleted') return <span>{text}</span>;
  const id = kind.namespaced ? `${entry.namespace}/${entry.name}` : entry.name;
  return <Link href={addressOf(clusterId, kind.plural, id)}>{text}</Link>;
}
