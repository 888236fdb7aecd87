/** The navigation at the side: of the server, or of the cluster one is in. What somebody may not list has no entry. */
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation, useSearchParams } from 'wouter';
import { useKinds } from '../net/kinds.ts';
import { at } from '../net/objects.ts';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { useClusters } from './clusters.ts';
import { useCounts } from './counts.ts';
import { groups, isOther } from './groups.ts';
import { kindName } from './kind-name.ts';
import { addressOf, usePlace } from './place.ts';
import { useServerPages } from './server-pages.ts';

export function SideNav() {
  const { t } = useTranslation();
  const { clusterId } = usePlace();
  return (
    <nav className="side" aria-label={clusterId ? t('frame.clusterNav') : t('frame.mainNav')}>
      {clusterId ? <ClusterNav clusterId={clusterId} /> : <ServerNav />}
    </nav>
  );
}

function ServerNav(): ReactNode {
  const [path] = useLocation();
  return (
    <ul>
      {useServerPages().map(
        ({ address, title, icon, below }) =>
          icon && (
            <Entry
              key={address}
              href={address}
              icon={icon}
              text={title}
              current={below === undefined ? undefined : path.startsWith(below)}
            />
          ),
      )}
    </ul>
  );
}

function ClusterNav({ clusterId }: { readonly clusterId: string }): ReactNode {
  const { t } = useTranslation();
  const { page } = usePlace();
  const kinds = useKinds(clusterId);
  const counts = useCounts(clusterId);
  const [params] = useSearchParams();
  const ns = params.get('ns');
  const query = ns ? `?ns=${encodeURIComponent(ns)}` : '';
  const all = kinds.data ?? new Map();
  const here = useClusters().data?.rows.find(({ id }) => id === clusterId);
  const isOnHosts = at(here?.object, 'spec.rancherKubernetesEngineConfig') !== undefined;
  const others = [...all.values()].filter(isOther).length;
  return (
    <>
      <ul>
        <Entry href={addressOf(clusterId)} icon="cluster" text={t('frame.overview')} current={page === undefined} />
        <Entry
          href={addressOf(clusterId, 'map') + query}
          icon="network"
          text={t('map.title')}
          current={page === 'map'}
        />
        <Entry
          href={addressOf(clusterId, 'usage')}
          icon="overview"
          text={t('usage.title')}
          current={page === 'usage'}
        />
      </ul>
      {groups.map(group => {
        const entries = group.plurals.flatMap(plural => all.get(plural) ?? []);
        if (entries.length === 0) return null;
        return (
          <section key={group.name} aria-labelledby={`group-${group.name}`}>
            <h2 id={`group-${group.name}`}>{t(`kinds.group.${group.name}`)}</h2>
            <ul>
              {group.name === 'workloads' && (
                <Entry
                  href={addressOf(clusterId, 'workloads') + query}
                  text={t('frame.allWorkloads')}
                  current={page === 'workloads'}
                />
              )}
              {entries.map(kind => (
                <Entry
                  key={kind.plural}
                  href={addressOf(clusterId, kind.plural) + query}
                  text={kindName(t, kind)}
                  count={counts[kind.id]?.summary.count}
                  isBad={(counts[kind.id]?.summary.errors ?? 0) > 0}
                  current={page === kind.plural}
                />
              ))}
            </ul>
          </section>
        );
      })}
      <section aria-label={t('frame.manage')}>
        <h2>{t('frame.manage')}</h2>
        <ul>
          {isOnHosts && (
            <Entry href={addressOf(clusterId, 'hosts')} text={t('hosts.title')} current={page === 'hosts'} />
          )}
          <Entry href={addressOf(clusterId, 'members')} text={t('frame.members')} current={page === 'members'} />
          {others > 0 && (
            <Entry
              href={addressOf(clusterId, 'kinds')}
              text={t('frame.moreKinds')}
              count={others}
              current={page === 'kinds'}
            />
          )}
        </ul>
      </section>
    </>
  );
}

interface EntryProps {
  readonly href: string;
  readonly text: string;
  readonly icon?: IconName;
  readonly count?: number;
  /** Something in there is not well. */
  readonly isBad?: boolean;
  readonly current?: boolean;
}

function Entry({ href, text, icon, count, isBad = false, current }: EntryProps) {
  const [path] = useLocation();
  const isCurrent = current ?? path === href;
  return (
    <li>
      <Link href={href} className={isCurrent ? 'current' : ''} aria-current={isCurrent ? 'page' : undefined}>
        {icon && <Icon name={icon} />}
        <span className="text">{text}</span>
        {isBad && <Icon name="bad" className="bad" />}
        {count !== undefined && count > 0 && <span className="count">{count}</span>}
      </Link>
    </li>
  );
}
