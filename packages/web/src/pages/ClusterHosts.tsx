/**
 * A cluster that the server makes of hosts: the command that brings a host, the hosts, what is done on each of them step by step with
 * its real error and the host's own log, and snapshots, restores, certificates and other versions.
 */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'wouter';
import { GoneWith } from '../act/DeprecatedApis.tsx';
import { stateOfV3, textAt, type V3Resource } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { useChange, useV3List } from '../net/v3.ts';
import { Copy } from '../parts/Copy.tsx';
import { Dialog } from '../parts/Dialog.tsx';
import { FormDialog } from '../parts/FormDialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Failure, FormError, Skeleton } from '../parts/Notices.tsx';
import { State } from '../parts/State.tsx';
import { Title } from '../parts/Title.tsx';
import { showToast } from '../parts/toasts.ts';
import { V3Table } from '../parts/V3Table.tsx';
import { ClusterTimeline } from './ClusterTimeline.tsx';
import { Roles } from './CreateCluster.tsx';

const everyMs = 4000;

export function ClusterHosts() {
  const { t } = useTranslation();
  const { clusterId = '' } = useParams<{ clusterId: string }>();
  const found = useQuery({
    queryKey: ['v3', 'cluster', clusterId],
    queryFn: ({ signal }) => ask<V3Resource>(`/v3/clusters/${clusterId}`, { signal }),
    refetchInterval: everyMs,
  });
  if (found.isPending) return <Skeleton />;
  if (found.isError && !found.data) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const cluster = found.data!;
  return (
    <>
      <Title title={t('hosts.title')} beside={<State state={stateOfV3(cluster)} cause />}>
        <Care cluster={cluster} />
      </Title>
      <Command clusterId={clusterId} />
      <section>
        <h2>{t('hosts.hosts')}</h2>
        <V3Table
          path={`/v3/nodes?clusterId=${encodeURIComponent(clusterId)}`}
          steveType="management.cattle.io.node"
          nameOf={row => textAt(row, 'requestedHostname') || row.id}
          empty={{ title: t('hosts.none'), hint: t('hosts.noneHint') }}
          columns={[
            {
              title: t('list.name'),
              cell: row => (
                <span className="strong">{textAt(row, 'requestedHostname') || textAt(row, 'nodeName')}</span>
              ),
            },
            {
              title: t('list.state'),
              cell: row => <State cause state={stateOfV3(row)} />,
            },
            {
              title: t('columns.Roles'),
              cell: row =>
                (['controlPlane', 'etcd', 'worker'] as const)
                  .filter(role => row[role] === true)
                  .map(role => t(`hosts.role.${role.toLowerCase()}`))
                  .join(t('overview.and')),
            },
            { title: t('hosts.address'), cell: row => <span className="dim">{textAt(row, 'externalIpAddress')}</span> },
          ]}
        />
      </section>
      <ClusterTimeline clusterId={clusterId} />
      <Snapshots cluster={cluster} />
    </>
  );
}

function Command({ clusterId }: { readonly clusterId: string }) {
  const { t } = useTranslation();
  const [flags, setFlags] = useState('--etcd --controlplane --worker');
  const tokens = useV3List(
    `/v3/clusters/${clusterId}/clusterregistrationtokens`,
    'management.cattle.io.clusterregistrationtoken',
  );
  const command = textAt(
    tokens.data?.data.find(one => one['nodeCommand']),
    'nodeCommand',
  );
  if (!tokens.data || tokens.data.data.length === 0) return null;
  const take = (form: HTMLElement): void =>
    setFlags([...form.querySelectorAll<HTMLInputElement>('input:checked')].map(({ value }) => `--${value}`).join(' '));
  return (
    <section>
      <h2>{t('hosts.bring')}</h2>
      {command ? (
        <>
          <p className="lead">{t('importing.runHint')}</p>
          <Roles name="role" onChange={take} />
          <Copy text={`${command} ${flags}`.trim()} wrap />
        </>
      ) : (
        <p className="hint-line warn">{t('hosts.noAgent')}</p>
      )}
    </section>
  );
}

const actions = ['rotateCertificates', 'rotateEncryptionKey'] as const;

function Care({ cluster }: { readonly cluster: V3Resource }) {
  const { t } = useTranslation();
  const change = useChange();
  const [asking, setAsking] = useState<string>();
  const [error, setError] = useState<unknown>();
  const [version, setVersion] = useState('');
  const offered = cluster.actions ?? {};
  const run = async (action: string): Promise<void> => {
    setError(undefined);
    try {
      await change(`/v3/clusters/${cluster.id}?action=${action}`, { method: 'POST', body: {} });
      showToast({ text: t('hosts.asked', { action: t(`hosts.action.${action}`) }) });
      setAsking(undefined);
    } catch (refused) {
      setError(refused);
    }
  };
  return (
    <div className="row">
      {cluster.links['update'] && (
        <button type="button" onClick={() => setAsking('upgrade')}>
          <Icon name="up" />
          {t('hosts.action.upgrade')}
        </button>
      )}
      {actions
        .filter(action => offered[action])
        .map(action => (
          <button key={action} type="button" onClick={() => setAsking(action)}>
            <Icon name="key" />
            {t(`hosts.action.${action}`)}
          </button>
        ))}
      {asking === 'upgrade' && (
        <FormDialog
          title={t('hosts.action.upgrade')}
          submit={t('frame.save')}
          onClose={() => setAsking(undefined)}
          onSubmit={form => {
            const config = cluster['rancherKubernetesEngineConfig'] as object | undefined;
            const body = {
              rancherKubernetesEngineConfig: { ...config, kubernetesVersion: String(form.get('version')) },
            };
            return change(`/v3/clusters/${cluster.id}`, { method: 'PUT', body });
          }}
        >
          <p className="lead">{t('hosts.upgradeHint')}</p>
          <label className="field">
            <span>{t('hosts.version')}</span>
            <input
              name="version"
              required
              pattern="v\d+\.\d+\.\d+.*"
              spellCheck={false}
              defaultValue={textAt(cluster, 'rancherKubernetesEngineConfig.kubernetesVersion')}
              onChange={event => setVersion(event.target.value)}
            />
          </label>
          <GoneWith clusterId={cluster.id} version={version} />
        </FormDialog>
      )}
      {asking && asking !== 'upgrade' && (
        <Dialog title={t(`hosts.action.${asking}`)} onClose={() => setAsking(undefined)}>
          <p>{t(`hosts.goes.${asking}`)}</p>
          <FormError error={error} />
          <footer>
            <button type="button" onClick={() => setAsking(undefined)}>
              {t('frame.cancel')}
            </button>
            <button type="button" className="primary" onClick={() => void run(asking)}>
              {t(`hosts.action.${asking}`)}
            </button>
          </footer>
        </Dialog>
      )}
    </div>
  );
}

function Snapshots({ cluster }: { readonly cluster: V3Resource }) {
  const { t } = useTranslation();
  const change = useChange();
  const [restoring, setRestoring] = useState<V3Resource>();
  const mayMake = cluster.actions?.['backupEtcd'] !== undefined;
  const make = (): void => {
    change(`/v3/clusters/${cluster.id}?action=backupEtcd`, { method: 'POST', body: {} }).then(
      () => showToast({ text: t('hosts.asked', { action: t('hosts.action.backupEtcd') }) }),
      (error: unknown) => showToast({ text: t('hosts.action.backupEtcd'), error }),
    );
  };
  return (
    <section>
      <div className="row">
        <h2>{t('hosts.snapshots')}</h2>
        <span className="spread" />
        {mayMake && (
          <button type="button" onClick={make}>
            <Icon name="plus" />
            {t('hosts.action.backupEtcd')}
          </button>
        )}
      </div>
      <V3Table
        path={`/v3/etcdbackups?clusterId=${encodeURIComponent(cluster.id)}&sort=created&order=desc`}
        steveType="management.cattle.io.etcdbackup"
        nameOf={row => textAt(row, 'filename') || row.id}
        empty={{ title: t('hosts.noSnapshots') }}
        columns={[
          { title: t('list.name'), cell: row => <span className="mono">{textAt(row, 'filename')}</span> },
          {
            title: t('list.state'),
            cell: row => <State cause state={stateOfV3(row)} />,
          },
          {
            title: t('hosts.action.restore'),
            cell: row =>
              row.state === 'active' && mayMake ? (
                <button type="button" onClick={() => setRestoring(row)}>
                  <Icon name="undo" />
                  {t('hosts.action.restore')}
                </button>
              ) : null,
          },
        ]}
      />
      {restoring && (
        <FormDialog
          title={t('hosts.action.restore')}
          submit={t('hosts.action.restore')}
          onClose={() => setRestoring(undefined)}
          onSubmit={form => {
            const body = { etcdBackupId: restoring.id, restoreRkeConfig: String(form.get('with')) };
            return change(`/v3/clusters/${cluster.id}?action=restoreFromEtcdBackup`, { method: 'POST', body });
          }}
        >
          <p className="warn consequence">{t('hosts.goes.restore')}</p>
          <label className="field">
            <span>{t('hosts.restoreWith')}</span>
            <select name="with">
              <option value="">{t('hosts.with.data')}</option>
              <option value="kubernetesVersion">{t('hosts.with.version')}</option>
              <option value="all">{t('hosts.with.all')}</option>
            </select>
          </label>
        </FormDialog>
      )}
    </section>
  );
}
