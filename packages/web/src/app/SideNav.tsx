/** The navigation at the side: of the server, or of the cluster one is in. What somebody may not list has no entry. */
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { usePlace } from './place.ts';

export function SideNav() {
  const { t } = useTranslation();
  const { clusterId } = usePlace();
  return (
    <nav className="side" aria-label={clusterId ? t('frame.clusterNav') : t('frame.mainNav')}>
      {!clusterId && <ServerNav />}
    </nav>
  );
}

function ServerNav(): ReactNode {
  const { t } = useTranslation();
  return (
    <ul>
      <Entry href="/" icon="cluster" text={t('frame.clusters')} />
    </ul>
  );
}

interface EntryProps {
  readonly href: string;
  readonly text: string;
  readonly icon?: IconName;
  readonly count?: number;
  readonly current?: boolean;
}

export function Entry({ href, text, icon, count, current }: EntryProps) {
  return (
    <li>
      <Link href={href} className={active => ((current ?? active) ? 'current' : '')}>
        {icon && <Icon name={icon} />}
        <span className="text">{text}</span>
        {count !== undefined && count > 0 && <span className="count">{count}</span>}
      </Link>
    </li>
  );
}
