/** Everything that a cluster's API has beside what the navigation names: custom resources and whatever add-ons bring. */
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'wouter';
import { useCounts } from '../app/counts.ts';
import { isOther } from '../app/groups.ts';
import { addressOf } from '../app/place.ts';
import { useViewState } from '../app/view-state.ts';
import { useKinds } from '../net/kinds.ts';
import { FilterInput } from '../parts/FilterInput.tsx';
import { KindsAwaited } from '../parts/KindsAwaited.tsx';
import { Empty } from '../parts/Notices.tsx';
import { Title } from '../parts/Title.tsx';

export function OtherKinds() {
  const { t } = useTranslation();
  const { clusterId = '' } = useParams<{ clusterId: string }>();
  const kinds = useKinds(clusterId);
  const counts = useCounts(clusterId);
  const [text, setText] = useViewState('q');
  if (!kinds.data) return <KindsAwaited kinds={kinds} lines={6} />;
  const rows = [...kinds.data.values()]
    .filter(isOther)
    .filter(({ kind, group }) => `${kind} ${group}`.toLowerCase().includes(text.trim().toLowerCase()))
    .sort((a, b) => a.group.localeCompare(b.group) || a.kind.localeCompare(b.kind));
  return (
    <>
      <Title title={t('frame.moreKinds')} beside={<span className="facts">{t('list.customHint')}</span>} />
      <div className="tools">
        <FilterInput label={t('list.findKind')} value={text} onChange={setText} />
      </div>
      {rows.length === 0 ? (
        <Empty icon="search" title={t('list.emptyFiltered')} />
      ) : (
        <div className="table-frame">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t('list.kind')}</th>
                <th scope="col">{t('list.group')}</th>
                <th scope="col">{t('list.scope')}</th>
                <th scope="col" className="number">
                  {t('list.number')}
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(kind => (
                <tr key={kind.plural}>
                  <th scope="row">
                    <Link href={addressOf(clusterId, kind.plural)} className="strong">
                      {kind.kind}
                    </Link>
                  </th>
                  <td className="dim">{kind.group ? `${kind.group}/${kind.version}` : kind.version}</td>
                  <td className="dim">{t(kind.namespaced ? 'list.scopeNamespaced' : 'list.scopeCluster')}</td>
                  <td className="number">{counts[kind.id]?.summary.count ?? ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
