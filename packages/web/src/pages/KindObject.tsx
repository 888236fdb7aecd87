/** A page about one object of any kind: what it is and how it does, its YAML, and for pods their logs and a terminal. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'wouter';
import { ActionBar, objectKey } from '../act/ActionBar.tsx';
import { pendingKey, useIsPending } from '../act/pending.ts';
import { kindName } from '../app/kind-name.ts';
import { addressOf } from '../app/place.ts';
import { useViewState } from '../app/view-state.ts';
import { historyOf } from '../detail/history-of.ts';
import { ObjectFacts } from '../detail/ObjectFacts.tsx';
import { tabsOf } from '../detail/tabs.ts';
import { Waiting } from '../detail/Waiting.tsx';
import { hasState } from '../list/columns.ts';
import { clusterRoot, type Kind, useKinds } from '../net/kinds.ts';
import type { KubeObject } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { useLive } from '../net/use-live.ts';
import { Icon } from '../parts/Icon.tsx';
import { KindsAwaited } from '../parts/KindsAwaited.tsx';
import { later } from '../parts/later.tsx';
import { Empty, Failure, Skeleton } from '../parts/Notices.tsx';
import { State } from '../parts/State.tsx';
import { Title } from '../parts/Title.tsx';

const FilesTab = later(async () => (await import('../detail/FilesTab.tsx')).FilesTab, Skeleton);
const History = later(async () => (await import('../detail/History.tsx')).History, Skeleton);
const LogsTab = later(async () => (await import('../detail/LogsTab.tsx')).LogsTab, Skeleton);
const TerminalTab = later(async () => (await import('../detail/TerminalTab.tsx')).TerminalTab, Skeleton);
const YamlTab = later(async () => (await import('../detail/YamlTab.tsx')).YamlTab, Skeleton);

export function KindObject() {
  const { t } = useTranslation();
  const params = useParams<{ clusterId: string; plural: string; first: string; second?: string }>();
  const { clusterId = '', plural = '', first = '', second } = params;
  const kinds = useKinds(clusterId);
  if (!kinds.data) return <KindsAwaited kinds={kinds} />;
  const kind = kinds.data.get(plural);
  if (!kind || kind.namespaced !== (second !== undefined))
    return <Empty isPage icon="help" title={t('list.noKind', { kind: plural })} hint={t('list.noKindHint')} />;
  const id = second === undefined ? first : `${first}/${second}`;
  return <Whole key={`${plural}/${id}`} clusterId={clusterId} kind={kind} id={id} />;
}

interface WholeProps {
  readonly clusterId: string;
  readonly kind: Kind;
  readonly id: string;
}

function Whole({ clusterId, kind, id }: WholeProps) {
  const { t } = useTranslation();
  const [tab, setTab] = useViewState('tab');
  const root = clusterRoot(clusterId);
  const key = objectKey(clusterId, kind.plural, id);
  const isPending = useIsPending(pendingKey(clusterId, kind.plural, id));
  const [namespace] = kind.namespaced ? id.split('/') : [];
  useLive(root, kind.id, key, namespace);
  const found = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => ask<KubeObject>(`${root}/${kind.plural}/${id}?exclude=metadata.managedFields`, { signal }),
  });
  if (found.isPending) return <Skeleton lines={10} />;
  // What was deleted while one looked is gone; any other failure leaves what was seen last.
  if (found.isError && (!found.data || !found.isRefetchError || found.failureCount > 0))
    return <Failure error={found.error} retry={() => void found.refetch()} />;
  const object = found.data!;
  const { name, state } = object.metadata;
  const tabs = tabsOf(object.kind);
  const shown = tabs.includes(tab) ? tab : 'overview';
  return (
    <>
      <nav className="crumbs" aria-label={kindName(t, kind)}>
        <Link href={addressOf(clusterId, kind.plural)}>{kindName(t, kind)}</Link>
        {namespace && (
          <>
            <span aria-hidden="true">/</span>
            <Link href={`${addressOf(clusterId, kind.plural)}?ns=${encodeURIComponent(namespace)}`}>{namespace}</Link>
          </>
        )}
      </nav>
      <Title
        title={name}
        tab={`${name} · ${kind.kind}`}
        beside={
          <>
            {state && hasState(kind) && <State state={state} cause />}
            {isPending && (
              <span className="state warn" role="status">
                <Icon name="busy" />
                {t('act.pending')}
              </span>
            )}
          </>
        }
      >
        <ActionBar object={object} kind={kind} clusterId={clusterId} />
      </Title>
      <Waiting object={object} tabs={tabs} shown={shown} onShow={setTab} />
      <div className="tabs" role="tablist">
        {tabs.map(one => (
          <button
            key={one}
            type="button"
            role="tab"
            id={`tab-${one}`}
            aria-selected={shown === one}
            aria-controls="tab-panel"
            onClick={() => setTab(one === 'overview' ? '' : one)}
          >
            {t(`detail.tab.${one}`)}
          </button>
        ))}
      </div>
      <div className="panel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${shown}`}>
        {shown === 'overview' && <ObjectFacts clusterId={clusterId} kind={kind} object={object} />}
        {shown === 'history' && <History clusterId={clusterId} about={historyOf(object)} />}
        {shown === 'yaml' && <YamlTab clusterId={clusterId} object={object} kind={kind} />}
        {shown === 'logs' && <LogsTab clusterId={clusterId} object={object} />}
        {shown === 'files' && <FilesTab clusterId={clusterId} object={object} />}
        {shown === 'terminal' && <TerminalTab clusterId={clusterId} object={object} />}
      </div>
    </>
  );
}
