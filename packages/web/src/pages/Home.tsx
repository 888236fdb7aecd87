/** Home: every cluster that somebody may reach, in what state and why, how full; live. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Dot } from '../app/ClusterSwitcher.tsx';
import { lookOf } from '../app/cluster-look.ts';
import { type ClusterRow, type Share, sortClusters, useClusters } from '../app/clusters.ts';
import { addressOf } from '../app/place.ts';
import { setPref, usePref } from '../app/prefs.ts';
import { useViewState } from '../app/view-state.ts';
import { useMay } from '../net/v3.ts';
import { Bar } from '../parts/Bar.tsx';
import { FilterInput } from '../parts/FilterInput.tsx';
import { holdsWords } from '../parts/holds-words.ts';
import { Icon } from '../parts/Icon.tsx';
import { Empty, Failure, Skeleton } from '../parts/Notices.tsx';
import { useNow } from '../parts/now.ts';
import { formatAge, formatBytes, formatCount } from '../parts/quantity.ts';
import { State } from '../parts/State.tsx';
import { Title } from '../parts/Title.tsx';

export function Home() {
  const { t } = useTranslation();
  const clusters = useClusters();
  const pinned = usePref('pinned');
  const mayImport = useMay()('cluster', 'POST');
  const [text, setText] = useViewState('q');
  const all = clusters.data?.rows ?? [];
  const rows = sortClusters(all, pinned).filter(row =>
    holdsWords(
      `${row.name} ${row.id} ${row.provider} ${row.version} ${row.state.name} ${lookOf(row.object).group}`,
      text,
    ),
  );
  const unwell = all.filter(({ state }) => state.error || state.transitioning).length;
  const importLink = mayImport && (
    <>
      <Link href="/create-cluster" className="button">
        <Icon name="node" />
        {t('hosts.create')}
      </Link>
      <Link href="/import" className="button primary">
        <Icon name="plus" />
        {t('home.import')}
      </Link>
    </>
  );
  return (
    <>
      <Title
        title={t('home.title')}
        beside={
          all.length > 0 && (
            <span className="facts">
              {t('home.summary', { count: all.length })}
              {unwell > 0 && <span className="warn"> · {t('home.unwell', { count: unwell })}</span>}
            </span>
          )
        }
      >
        {all.length > 0 && <div className="row">{importLink}</div>}
      </Title>
      {clusters.isPending && <Skeleton />}
      {clusters.isError && !clusters.data && <Failure error={clusters.error} retry={() => void clusters.refetch()} />}
      {clusters.data && all.length === 0 && (
        <Empty icon="cluster" title={t('home.emptyTitle')} hint={t(mayImport ? 'home.emptyHint' : 'home.emptyRights')}>
          {importLink}
        </Empty>
      )}
      {all.length > 0 && (
        <>
          <div className="tools">
            <FilterInput label={t('home.find')} value={text} onChange={setText} />
          </div>
          {rows.length === 0 ? (
            <Empty icon="search" title={t('home.noMatch', { text })}>
              <button type="button" onClick={() => setText('')}>
                {t('home.clearFilter')}
              </button>
            </Empty>
          ) : (
            <ClusterTable rows={rows} pinned={pinned} />
          )}
        </>
      )}
    </>
  );
}

const columnCount = 9;

function ClusterTable({ rows, pinned }: { readonly rows: readonly ClusterRow[]; readonly pinned: readonly string[] }) {
  const { t } = useTranslation();
  // By name; those of none come last.
  const groups = [...Map.groupBy(rows, row => lookOf(row.object).group)].sort(
    ([a], [b]) => Number(a === '') - Number(b === '') || a.localeCompare(b),
  );
  return (
    <div className="table-frame">
      <table className="table clusters">
        <thead>
          <tr>
            <th scope="col">{t('home.name')}</th>
            <th scope="col">{t('home.state')}</th>
            <th scope="col">{t('home.version')}</th>
            <th scope="col">{t('home.provider')}</th>
            <th scope="col" className="number">
              {t('home.nodes')}
            </th>
            <th scope="col">{t('home.cpu')}</th>
            <th scope="col">{t('home.memory')}</th>
            <th scope="col">{t('home.pods')}</th>
            <th scope="col" className="number">
              {t('home.age')}
            </th>
          </tr>
        </thead>
        {groups.map(([group, own]) => (
          <tbody key={group}>
            {groups.length > 1 && (
              <tr className="cluster-group">
                <th scope="rowgroup" colSpan={columnCount}>
                  {group || t('look.noGroup')}
                </th>
              </tr>
            )}
            {own.map(row => (
              <ClusterLine key={row.id} row={row} pinned={pinned} />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function ClusterLine({ row, pinned }: { readonly row: ClusterRow; readonly pinned: readonly string[] }) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const isPinned = pinned.includes(row.id);
  const pin = (): void => setPref('pinned', isPinned ? pinned.filter(id => id !== row.id) : [...pinned, row.id]);
  const count = (value: number) => formatCount(value, i18n.language);
  return (
    <tr>
      <th scope="row">
        <button
          type="button"
          className={`plain pin${isPinned ? ' on' : ''}`}
          aria-pressed={isPinned}
          aria-label={t(isPinned ? 'frame.unpin' : 'frame.pin', { name: row.name })}
          onClick={pin}
        >
          <Icon name="pin" />
        </button>
        <Link href={addressOf(row.id)} className="strong">
          <Dot row={row} />
          {row.name}
        </Link>
      </th>
      <td className="grow">
        <State state={row.state} cause />
      </td>
      <td className="dim">{row.version}</td>
      <td className="dim">{t(`home.provider.${row.provider}`, { defaultValue: row.provider })}</td>
      <td className="number">{row.nodes > 0 ? row.nodes : ''}</td>
      <td>
        <ShareBar name={t('home.cpu')} share={row.cpu} format={count} />
      </td>
      <td>
        <ShareBar name={t('home.memory')} share={row.memory} format={formatBytes} />
      </td>
      <td>
        <ShareBar name={t('home.pods')} share={row.pods} format={count} />
      </td>
      <td className="number dim">{formatAge(row.created, now)}</td>
    </tr>
  );
}

export interface ShareBarProps {
  readonly name: string;
  readonly share: Share | undefined;
  readonly format: (value: number) => string;
}

export function ShareBar({ name, share, format }: ShareBarProps) {
  const { t } = useTranslation();
  if (!share) return <span className="dim">–</span>;
  const { requested = 0, used, total } = share;
  const asked = t('home.requested', { requested: format(requested), total: format(total) });
  const label = `${name}: ${used === undefined ? '' : `${t('home.used', { used: format(used) })}, `}${asked}`;
  return (
    <Bar used={used} requested={requested} total={total} label={label}>
      {t('home.ofPods', { used: format(used ?? requested), total: format(total) })}
    </Bar>
  );
}
