/** What a cluster used over the last hours: CPU and memory by node, namespace or workload; asked for when it is opened. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useParams } from 'wouter';
import { useViewState } from '../app/view-state.ts';
import { ask } from '../net/request.ts';
import { LineChart } from '../parts/LineChart.tsx';
import { Empty, Failure, Skeleton } from '../parts/Notices.tsx';
import { formatBytes, formatCount } from '../parts/quantity.ts';
import { Title } from '../parts/Title.tsx';

const groupings = ['node', 'namespace', 'workload'] as const;
const everyMs = 30_000;
const mostLines = 8;

interface Series {
  readonly name: string;
  readonly namespace: string;
  readonly points: readonly { readonly atMs: number; readonly cpu: number; readonly memory: number }[];
}

export function ClusterUsage() {
  const { t, i18n } = useTranslation();
  const { clusterId = '' } = useParams<{ clusterId: string }>();
  const [chosen, setBy] = useViewState('by');
  const by = groupings.find(one => one === chosen) ?? 'node';
  const found = useQuery({
    queryKey: ['usage', clusterId, by],
    queryFn: ({ signal }) =>
      ask<{ series: readonly Series[] }>(`/v1-usage?${new URLSearchParams({ clusterId, by })}`, { signal }),
    refetchInterval: everyMs,
    retry: false,
  });
  const time = (atMs: number) => new Date(atMs).toLocaleTimeString(i18n.language, { timeStyle: 'short' });
  const series = found.data?.series ?? [];
  const lines = (what: 'cpu' | 'memory') =>
    [...series]
      .sort((a, b) => (b.points.at(-1)?.[what] ?? 0) - (a.points.at(-1)?.[what] ?? 0))
      .slice(0, mostLines)
      .map(({ name, namespace, points }) => ({
        name: by === 'workload' ? `${namespace}/${name}` : name,
        points: points.map(point => ({ atMs: point.atMs, value: point[what] })),
      }));
  return (
    <>
      <Title title={t('usage.title')} beside={<span className="facts">{t('usage.hint')}</span>} />
      <div className="tools">
        <span className="chips">
          {groupings.map(one => (
            <button
              key={one}
              type="button"
              className="chip"
              aria-pressed={by === one}
              onClick={() => setBy(one === 'node' ? '' : one)}
            >
              {t(`usage.by.${one}`)}
            </button>
          ))}
        </span>
      </div>
      {found.isPending && <Skeleton />}
      {found.isError && !found.data && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data && series.length === 0 && (
        <Empty icon="overview" title={t('usage.nothing')} hint={t('usage.nothingHint')} />
      )}
      {series.length > 0 && (
        <div className="charts">
          <LineChart
            title={t('home.cpu')}
            lines={lines('cpu')}
            format={value => formatCount(value, i18n.language)}
            formatTime={time}
          />
          <LineChart title={t('home.memory')} lines={lines('memory')} format={formatBytes} formatTime={time} />
        </div>
      )}
    </>
  );
}
