/** The kubectl shell of the cluster one is in: what opens it, and why it can't be opened. */
import type { TFunction } from 'i18next';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { openKubectl } from '../dock/tabs.ts';
import { type Condition, listAt } from '../net/objects.ts';
import { type ClusterRow, useClusters } from './clusters.ts';
import { usePlace } from './place.ts';

export interface KubectlShell {
  readonly open: () => void;
  /** In words, where it can't be opened. */
  readonly blocked?: string;
}

/** Undefined where one is in no cluster; the same from render to render while the cluster is. */
export function useKubectlShell(): KubectlShell | undefined {
  const { t } = useTranslation();
  const { clusterId } = usePlace();
  const row = useClusters().data?.rows.find(({ id }) => id === clusterId);
  return useMemo(() => row && shellOf(t, row), [t, row]);
}

function shellOf(t: TFunction, row: ClusterRow): KubectlShell {
  const blocked = whyNot(t, row);
  return blocked === undefined ? { open: () => openKubectl(row) } : { open: () => undefined, blocked };
}

function whyNot(t: TFunction, { object }: ClusterRow): string | undefined {
  if (object.links['shell'] === undefined) return t('dock.kubectlOff');
  const connected = listAt<Condition>(object, 'status.conditions').find(({ type }) => type === 'Connected');
  return connected?.status === 'True' ? undefined : t('dock.kubectlAway');
}
