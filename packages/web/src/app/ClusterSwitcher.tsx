/** Which cluster one is in, and the way to another: the page stays the same one, over there. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Icon } from '../parts/Icon.tsx';
import { Menu } from '../parts/Menu.tsx';
import { State } from '../parts/State.tsx';
import { lookOf } from './cluster-look.ts';
import { type ClusterRow, sortClusters, useClusters } from './clusters.ts';
import { addressOf, usePlace } from './place.ts';
import { usePref } from './prefs.ts';
import { recentClusters } from './recents.ts';

export function ClusterSwitcher() {
  const { t } = useTranslation();
  const { clusterId, page } = usePlace();
  const { data } = useClusters();
  const pinned = usePref('pinned');
  const [text, setText] = useState('');
  const rows = sortClusters(data?.rows ?? [], pinned, recentClusters()).filter(({ name }) =>
    name.includes(text.trim()),
  );
  const here = data?.rows.find(({ id }) => id === clusterId);
  const name = clusterId === undefined ? t('frame.allClusters') : (here?.name ?? clusterId);
  return (
    <Menu
      label={`${t('frame.switchCluster')}: ${name}`}
      className="plain switcher"
      onOpen={() => setText('')}
      button={
        <>
          {here && <Dot row={here} />}
          <span className="name">{name}</span>
          <Icon name="down" />
        </>
      }
    >
      {close => (
        <>
          <input
            type="search"
            value={text}
            placeholder={t('frame.findCluster')}
            aria-label={t('frame.findCluster')}
            onChange={event => setText(event.target.value)}
          />
          <Link href="/" onClick={close} aria-current={clusterId === undefined ? 'page' : undefined}>
            {t('frame.allClusters')}
          </Link>
          {rows.map(row => (
            <Link
              key={row.id}
              href={addressOf(row.id, page)}
              onClick={close}
              aria-current={row.id === clusterId ? 'page' : undefined}
            >
              <Dot row={row} />
              <span className="name">{row.name}</span>
              <State state={row.state} />
            </Link>
          ))}
        </>
      )}
    </Menu>
  );
}

/** The colour of a cluster, where it has one; its name says the same to who does not see it. */
export function Dot({ row }: { readonly row: ClusterRow }) {
  const { hue } = lookOf(row.object);
  return hue ? <i className={`dot hue-${hue}`} /> : null;
}
