/** Why something may not be done, asked of the server for exactly this: the right that it takes, and who can give it. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { Kind } from '../net/kinds.ts';
import type { KubeObject } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { Failure, Skeleton } from '../parts/Notices.tsx';

export interface DeniedDialogProps {
  readonly verb: string;
  readonly kind: Kind;
  readonly clusterId: string;
  readonly object: KubeObject;
  readonly onClose: () => void;
}

interface Answer {
  readonly allowed: boolean;
  readonly reason?: string;
  readonly mayGrant?: readonly string[];
}

export function DeniedDialog({ verb, kind, clusterId, object, onClose }: DeniedDialogProps) {
  const { t } = useTranslation();
  const { name, namespace } = object.metadata;
  const resource = kind.group ? `${kind.resource}.${kind.group}` : kind.resource;
  const found = useQuery({
    queryKey: ['can-i', clusterId, verb, resource, namespace, name],
    queryFn: ({ signal }) =>
      ask<Answer>('/v1-access?action=can-i', {
        method: 'POST',
        body: { verb, resource, clusterId, name, ...(namespace ? { namespace } : {}) },
        signal,
      }),
  });
  const givers = found.data?.mayGrant ?? [];
  return (
    <Dialog title={t('act.deniedTitle')} onClose={onClose}>
      <p>{t(namespace ? 'act.deniedIn' : 'act.deniedFor', { verb, resource, namespace: namespace ?? '', name })}</p>
      {found.isPending && <Skeleton lines={2} />}
      {found.isError && <Failure error={found.error} />}
      {found.data && !found.data.allowed && (
        <>
          <h3 className="after">{t('act.whoGrants')}</h3>
          {givers.length === 0 ? (
            <p className="dim">{t('act.nobodyKnown')}</p>
          ) : (
            <ul className="tags">
              {givers.map(giver => (
                <li key={giver}>
                  <code>{giver}</code>
                </li>
              ))}
            </ul>
          )}
          {found.data.reason && <p className="dim after">{found.data.reason}</p>}
        </>
      )}
      {found.data?.allowed && <p className="hint-line">{t('act.allowedNow')}</p>}
    </Dialog>
  );
}
