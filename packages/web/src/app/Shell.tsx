/** The frame around every page: top bar, navigation at the side, what the page is told of its connection, and the page. */
import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { useDock } from '../dock/tabs.ts';
import { useLiveState } from '../net/use-live.ts';
import { useMe } from '../net/v3.ts';
import { later } from '../parts/later.tsx';
import { Failure, Skeleton } from '../parts/Notices.tsx';
import { Toasts } from '../parts/Toasts.tsx';
import { ClusterBanner } from './ClusterBanner.tsx';
import { Keys } from './Keys.tsx';
import { SideNav } from './SideNav.tsx';
import { TopBar } from './TopBar.tsx';

const Dock = later(async () => (await import('../dock/Dock.tsx')).Dock);

export function Shell({ children }: { readonly children: ReactNode }) {
  const { t } = useTranslation();
  const me = useMe();
  const [path, navigate] = useLocation();
  const hasDock = useDock().tabs.length > 0;
  const [navOpen, setNavOpen] = useState(false);
  const mustSetUp = me.data?.mustChangePassword === true;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes it
  useEffect(() => setNavOpen(false), [path]);
  useEffect(() => {
    if (mustSetUp) navigate('/setup', { replace: true });
  }, [mustSetUp, navigate]);
  if (me.isPending || mustSetUp) return <Skeleton lines={10} />;
  if (me.isError) return <Failure error={me.error} retry={() => void me.refetch()} />;
  return (
    <div className="shell" data-nav={navOpen ? 'open' : undefined}>
      <a className="skip" href="#content">
        {t('frame.skip')}
      </a>
      <TopBar onMenu={() => setNavOpen(open => !open)} navOpen={navOpen} />
      <SideNav />
      {navOpen && (
        <button type="button" className="veil" aria-label={t('frame.close')} onClick={() => setNavOpen(false)} />
      )}
      <main id="content" tabIndex={-1}>
        <Connection />
        <ClusterBanner />
        {children}
      </main>
      {hasDock && <Dock />}
      <Toasts />
      <Keys />
    </div>
  );
}

const listenOnline = (listener: () => void): (() => void) => {
  window.addEventListener('online', listener);
  window.addEventListener('offline', listener);
  return () => {
    window.removeEventListener('online', listener);
    window.removeEventListener('offline', listener);
  };
};

function Connection(): ReactNode {
  const { t } = useTranslation();
  const online = useSyncExternalStore(listenOnline, () => navigator.onLine);
  const live = useLiveState();
  const text = online ? (live === 'waiting' ? t('frame.reconnecting') : '') : t('frame.offline');
  return (
    <div role="status" className={text ? 'banner' : 'quiet'}>
      {text}
    </div>
  );
}
