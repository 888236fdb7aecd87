/** What belongs to an object: its pods, and what the cluster says about it; both live. */
import { useTranslation } from 'react-i18next';
import { columnsOf } from '../list/columns.ts';
import { quote } from '../list/filter-words.ts';
import { LiveList } from '../list/LiveList.tsx';
import { useKinds } from '../net/kinds.ts';
import type { ObjectProps } from './ObjectFacts.tsx';
import { podFilters } from './related.ts';

export function Related({ clusterId, object }: ObjectProps) {
  const { t } = useTranslation();
  const kinds = useKinds(clusterId).data;
  const { namespace } = object.metadata;
  const filters = podFilters(object);
  const namespaces = namespace ? [namespace] : [];
  const pods = kinds?.get('pods');
  const events = kinds?.get('events');
  return (
    <>
      {pods && filters && (
        <section className="embedded">
          <h2>{t('kinds.Pod')}</h2>
          <LiveList
            wish={{ clusterId, kind: pods, sort: 'metadata.name', namespaces, filters }}
            columns={columnsOf(pods).filter(({ shown, id }) => shown && !(namespace && id === 'namespace'))}
            empty={<p className="dim">{t('detail.noPods')}</p>}
          />
        </section>
      )}
      {events && object.kind !== 'Event' && (
        <section className="embedded">
          <h2>{t('kinds.Event')}</h2>
          <LiveList
            wish={{
              clusterId,
              kind: events,
              sort: '-metadata.fields[0]',
              namespaces,
              filters: [
                `involvedObject.name=${quote(object.metadata.name)}`,
                `involvedObject.kind=${quote(object.kind)}`,
              ],
            }}
            columns={columnsOf(events).filter(({ id }) =>
              ['Last Seen', 'Type', 'Reason', 'Count', 'Message'].includes(id),
            )}
            empty={<p className="dim">{t('detail.noEvents')}</p>}
          />
        </section>
      )}
    </>
  );
}
