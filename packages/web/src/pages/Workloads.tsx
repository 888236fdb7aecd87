/** All that runs in a cluster in one list: every kind of workload, with its state and restarts. */
import { useTranslation } from 'react-i18next';
import { useParams } from 'wouter';
import { kindWord } from '../app/kind-name.ts';
import { useViewState } from '../app/view-state.ts';
import { MergedList } from '../list/MergedList.tsx';
import { useMerged } from '../list/merged.ts';
import { NamespacePicker, useChosenNamespaces } from '../list/NamespacePicker.tsx';
import { useKinds } from '../net/kinds.ts';
import { FilterInput } from '../parts/FilterInput.tsx';
import { KindsAwaited } from '../parts/KindsAwaited.tsx';
import { Empty } from '../parts/Notices.tsx';
import { formatCount } from '../parts/quantity.ts';
import { Title } from '../parts/Title.tsx';

const plurals = ['apps.deployments', 'apps.statefulsets', 'apps.daemonsets', 'batch.cronjobs', 'batch.jobs', 'pods'];

export function Workloads() {
  const { t, i18n } = useTranslation();
  const { clusterId = '' } = useParams<{ clusterId: string }>();
  const kinds = useKinds(clusterId);
  const [text, setText] = useViewState('q');
  const [sort, setSort] = useViewState('sort');
  const [state] = useViewState('state');
  const [namespaces] = useChosenNamespaces();
  const sources = plurals.flatMap(plural => {
    const kind = kinds.data?.get(plural);
    return kind ? [{ clusterId, kind, label: kindWord(t, kind, i18n.language) }] : [];
  });
  const merged = useMerged(sources, { text, namespaces, state });
  if (!kinds.data) return <KindsAwaited kinds={kinds} />;
  return (
    <>
      <Title
        title={t('kinds.group.workloads')}
        beside={<span className="facts">{formatCount(merged.count, i18n.language)}</span>}
      />
      <div className="tools">
        <NamespacePicker clusterId={clusterId} />
        <FilterInput label={t('list.filter')} value={text} onChange={setText} />
      </div>
      <MergedList
        label={t('kinds.group.workloads')}
        merged={merged}
        sourceTitle={t('list.kind')}
        columns={['Ready', 'Restarts', 'Images']}
        sort={sort}
        onSort={setSort}
        empty={<Empty title={t('list.emptyTitle', { kinds: t('kinds.group.workloads') })} hint={t('list.emptyHint')} />}
      />
    </>
  );
}
