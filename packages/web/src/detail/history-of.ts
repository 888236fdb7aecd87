/** Whose past is shown on an object's page: its own, and for what others are made out of, theirs too. */
import type { KubeObject } from '../net/objects.ts';
import type { HistoryProps } from './History.tsx';

const withOthers: ReadonlySet<string> = new Set([
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'Job',
  'CronJob',
]);

export function historyOf({ kind, metadata }: KubeObject): NonNullable<HistoryProps['about']> {
  const { name, namespace } = metadata;
  return {
    name,
    ...(namespace ? { namespace } : {}),
    ...(withOthers.has(kind) ? {} : { kind }),
  };
}
