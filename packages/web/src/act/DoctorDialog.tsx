/** The connection to a cluster, examined from its own end: what its agent finds of name, certificate, clock, proxy and API. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ask } from '../net/request.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Failure, Skeleton } from '../parts/Notices.tsx';
import { Said } from '../parts/Said.tsx';

interface AgentView {
  readonly agentVersion: string;
  readonly clockAheadMs: number;
  readonly findings: readonly { readonly check: string; readonly ok: boolean; readonly detail: string }[];
}

export function DoctorDialog({ clusterId, onClose }: { readonly clusterId: string; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: ['doctor', clusterId],
    queryFn: ({ signal }) => ask<AgentView>(`/v3/clusters/${clusterId}/doctor`, { signal }),
    gcTime: 0,
    retry: false,
  });
  return (
    <Dialog title={t('overview.doctor')} onClose={onClose}>
      <p className="lead">{t('overview.doctorHint')}</p>
      {found.isPending && <Skeleton lines={4} />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data && (
        <ul className="steps">
          {found.data.findings.map(({ check, ok, detail }) => (
            <li key={check} className="done">
              <Icon name={ok ? 'ok' : 'bad'} className={ok ? 'ok' : 'bad'} />
              <span>
                <strong>{t(`overview.check.${check}`, { defaultValue: check })}</strong>
                <span className={ok ? 'dim' : 'bad'}>
                  <Said words={detail} />
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}
