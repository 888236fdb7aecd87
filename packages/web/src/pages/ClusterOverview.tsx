/** A cluster at a glance: what it is, how full, what is not well and the way there, what it warned of lately. */
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'wouter';
import { ApplyDialog } from '../act/ApplyDialog.tsx';
import { DeprecatedDialog } from '../act/DeprecatedApis.tsx';
import { DoctorDialog } from '../act/DoctorDialog.tsx';
import { LookButton, LookDialog } from '../act/LookDialog.tsx';
import { type ClusterRow, useClusters } from '../app/clusters.ts';
import { useCounts } from '../app/counts.ts';
import { kindName } from '../app/kind-name.ts';
import { addressOf } from '../app/place.ts';
import { History } from '../detail/History.tsx';
import { columnsOf } from '../list/columns.ts';
import { LiveList } from '../list/LiveList.tsx';
import { useKinds } from '../net/kinds.ts';
import { at, type Condition, listAt } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { Icon } from '../parts/Icon.tsx';
import { Empty, Failure, FormError, Skeleton } from '../parts/Notices.tsx';
import { formatBytes, formatCount } from '../parts/quantity.ts';
import { Original, Said } from '../parts/Said.tsx';
import { State } from '../parts/State.tsx';
import { Title } from '../parts/Title.tsx';
import { stateKey } from '../parts/tone.ts';
import { ShareBar } from './Home.tsx';
import { saveFile } from './save-file.ts';

export function ClusterOverview() {
  const { t } = useTranslation();
  const { clusterId = '' } = useParams<{ clusterId: string }>();
  const clusters = useClusters();
  if (clusters.isPending) return <Skeleton lines={10} />;
  if (clusters.isError && !clusters.data)
    return <Failure error={clusters.error} retry={() => void clusters.refetch()} />;
  const row = clusters.data?.rows.find(({ id }) => id === clusterId);
  if (!row) return <Empty isPage icon="help" title={t('errors.NotFound')} hint={t('errors.NotFoundHint')} />;
  return <Overview row={row} />;
}

function Overview({ row }: { readonly row: ClusterRow }) {
  const { t, i18n } = useTranslation();
  const [error, setError] = useState<unknown>();
  const [open, setOpen] = useState<'apply' | 'doctor' | 'look' | 'deprecated'>();
  const count = (value: number) => formatCount(value, i18n.language);
  const download = async (): Promise<void> => {
    setError(undefined);
    try {
      const path = `/v3/clusters/${row.id}?action=generateKubeconfig`;
      const { config } = await ask<{ config: string }>(path, { method: 'POST', body: {} });
      saveFile(`${row.name}.yaml`, config);
    } catch (refused) {
      setError(refused);
    }
  };
  return (
    <>
      <Title title={row.name} beside={<State state={row.state} cause={causesOf(row).length === 0} />}>
        <div className="row">
          <button type="button" onClick={() => setOpen('apply')}>
            <Icon name="plus" />
            {t('act.apply')}
          </button>
          <LookButton row={row} onOpen={() => setOpen('look')} />
          <button type="button" onClick={() => setOpen('doctor')}>
            {t('overview.doctor')}
          </button>
          <button type="button" onClick={() => setOpen('deprecated')}>
            {t('overview.deprecated')}
          </button>
          <button type="button" onClick={() => void download()}>
            <Icon name="download" />
            {t('home.openKubeconfig')}
          </button>
        </div>
      </Title>
      <FormError error={error} />
      {open === 'apply' && <ApplyDialog clusterId={row.id} onClose={() => setOpen(undefined)} />}
      {open === 'look' && <LookDialog row={row} onClose={() => setOpen(undefined)} />}
      {open === 'deprecated' && <DeprecatedDialog clusterId={row.id} onClose={() => setOpen(undefined)} />}
      {open === 'doctor' && <DoctorDialog clusterId={row.id} onClose={() => setOpen(undefined)} />}
      <section className="tiles" aria-label={t('frame.overview')}>
        <Tile name={t('home.version')}>{row.version || t('home.unknown')}</Tile>
        <Tile name={t('home.provider')}>
          {t(`home.provider.${row.provider}`, { defaultValue: row.provider }) || t('home.unknown')}
        </Tile>
        <Tile name={t('home.nodes')}>{row.nodes > 0 ? count(row.nodes) : t('home.unknown')}</Tile>
        <Tile name={t('home.cpu')}>
          <ShareBar name={t('home.cpu')} share={row.cpu} format={count} />
        </Tile>
        <Tile name={t('home.memory')}>
          <ShareBar name={t('home.memory')} share={row.memory} format={formatBytes} />
        </Tile>
        <Tile name={t('home.pods')}>
          <ShareBar name={t('home.pods')} share={row.pods} format={count} />
        </Tile>
      </section>
      <Causes row={row} />
      <StepsOnHosts row={row} />
      <Trouble clusterId={row.id} />
      <Warnings clusterId={row.id} />
      {row.version && (
        <section>
          <h2>{t('history.title')}</h2>
          <p className="lead">{t('history.hint')}</p>
          <History clusterId={row.id} />
        </section>
      )}
    </>
  );
}

function Tile({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="tile">
      <span className="tile-name">{name}</span>
      <div>{children}</div>
    </div>
  );
}

const causesOf = (row: ClusterRow): readonly Condition[] =>
  listAt<Condition>(row.object, 'status.conditions').filter(one => one.status !== 'True' && one.message);

/** Conditions that keep the cluster from being well; of several with one cause, that is told once. */
function Causes({ row }: { readonly row: ClusterRow }) {
  const { t } = useTranslation();
  const causes = causesOf(row);
  if (causes.length === 0) return null;
  const byWords = Map.groupBy(causes, one => one.message!);
  const isBad = row.state.error || causes.some(({ status }) => status === 'False');
  return (
    <ul className={isBad ? 'causes' : 'causes waiting'}>
      {[...byWords].map(([words, same]) => (
        <li key={words}>
          <Icon name={isBad ? 'bad' : 'busy'} className={isBad ? 'bad' : 'warn'} />
          <strong>
            {same.map(({ type }) => t(`overview.condition.${type}`, { defaultValue: type })).join(t('overview.and'))}
          </strong>{' '}
          <div>
            <Said words={words} />
            <Original words={words} />
          </div>
        </li>
      ))}
    </ul>
  );
}

/** Where a cluster on hosts is on its way, or halts, its steps and the hosts' own lines are told. */
function StepsOnHosts({ row }: { readonly row: ClusterRow }) {
  const { t } = useTranslation();
  const isOnHosts = at(row.object, 'spec.rancherKubernetesEngineConfig') !== undefined;
  if (!isOnHosts || !(row.state.transitioning || row.state.error)) return null;
  return (
    <section>
      <Link href={addressOf(row.id, 'hosts')} className="button">
        {t('overview.steps')}
      </Link>
    </section>
  );
}

function Trouble({ clusterId }: { readonly clusterId: string }) {
  const { t } = useTranslation();
  const counts = useCounts(clusterId);
  const kinds = useKinds(clusterId).data;
  // Of what can't be asked nothing is known, least of all that it is well.
  if (!kinds) return null;
  const unwell = [...kinds.values()].flatMap(kind => {
    const { errors = 0, transitioning = 0, states = {} } = counts[kind.id]?.summary ?? {};
    return errors + transitioning > 0 ? [{ kind, errors, states: Object.entries(states) }] : [];
  });
  // What is broken comes before what is on its way.
  unwell.sort((a, b) => Number(b.errors > 0) - Number(a.errors > 0));
  return (
    <section>
      <h2>{t('overview.trouble')}</h2>
      {unwell.length === 0 ? (
        <p className="well">
          <Icon name="ok" className="ok" />
          {t('overview.well')}
        </p>
      ) : (
        <ul className="trouble">
          {unwell.map(({ kind, errors, states }) => (
            <li key={kind.plural}>
              <Icon name={errors > 0 ? 'bad' : 'busy'} className={errors > 0 ? 'bad' : 'warn'} />
              <Link href={addressOf(clusterId, kind.plural)} className="strong">
                {kindName(t, kind)}
              </Link>
              <span className="chips">
                {states.map(([state, count]) => (
                  <Link
                    key={state}
                    className="button chip"
                    href={`${addressOf(clusterId, kind.plural)}?state=${encodeURIComponent(state)}`}
                  >
                    {t(`states.${stateKey(state)}`, { defaultValue: state })} <b>{count}</b>
                  </Link>
                ))}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Warnings({ clusterId }: { readonly clusterId: string }) {
  const { t } = useTranslation();
  const events = useKinds(clusterId).data?.get('events');
  if (!events) return null;
  return (
    <section className="embedded">
      <h2>{t('overview.warnings')}</h2>
      <LiveList
        wish={{ clusterId, kind: events, sort: '-metadata.fields[0]', filters: ['metadata.fields[1]="Warning"'] }}
        columns={columnsOf(events).filter(({ id }) =>
          ['Last Seen', 'namespace', 'Reason', 'Object', 'Message'].includes(id),
        )}
        empty={<p className="dim">{t('overview.noWarnings')}</p>}
      />
    </section>
  );
}
