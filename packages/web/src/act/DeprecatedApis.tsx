/** Deprecated APIs that somebody asks a cluster for: all of them in a dialog, and those that a version is without beside an upgrade. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ask } from '../net/request.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Empty, Failure, Skeleton } from '../parts/Notices.tsx';
import { type DeprecatedApi, isGoneIn } from './deprecated-apis.ts';

const useDeprecated = (clusterId: string) =>
  useQuery({
    queryKey: ['deprecated', clusterId],
    queryFn: async ({ signal }) =>
      (await ask<{ apis: readonly DeprecatedApi[] }>(`/v3/clusters/${clusterId}/deprecatedApis`, { signal })).apis,
    retry: false,
  });

export function DeprecatedDialog({ clusterId, onClose }: { readonly clusterId: string; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const found = useDeprecated(clusterId);
  return (
    <Dialog title={t('overview.deprecated')} onClose={onClose}>
      <p className="lead">{t('overview.deprecatedHint')}</p>
      {found.isPending && <Skeleton lines={4} />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data?.length === 0 && <Empty icon="check" title={t('overview.noDeprecated')} />}
      {found.data && <ApiList apis={found.data} />}
    </Dialog>
  );
}

/** What would be gone; what can't be told is told. */
export function GoneWith({ clusterId, version }: { readonly clusterId: string; readonly version: string }) {
  const { t } = useTranslation();
  const found = useDeprecated(clusterId);
  if (found.isError) return <p className="hint-line">{t('overview.deprecatedUnknown')}</p>;
  const gone = found.data?.filter(api => isGoneIn(api, version)) ?? [];
  if (gone.length === 0) return null;
  return (
    <>
      <p className="hint-line warn">{t('overview.goneWith', { version })}</p>
      <ApiList apis={gone} />
    </>
  );
}

function ApiList({ apis }: { readonly apis: readonly DeprecatedApi[] }) {
  const { t } = useTranslation();
  if (apis.length === 0) return null;
  return (
    <ul className="steps">
      {apis.map(({ apiVersion, resource, removedIn }) => (
        <li key={`${apiVersion} ${resource}`} className="done">
          <Icon name={removedIn ? 'bad' : 'idle'} className={removedIn ? 'warn' : ''} />
          <span>
            <strong>{`${resource}, ${apiVersion}`}</strong>
            <span className="dim">
              {removedIn ? t('overview.removedIn', { version: removedIn }) : t('overview.notRemoved')}
            </span>
          </span>
        </li>
      ))}
    </ul>
  );
}
