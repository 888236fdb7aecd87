/** Which views a kind of object has beside its overview. */

const withLogs: ReadonlySet<string> = new Set(['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job']);

export const tabsOf = (kind: string): readonly string[] => [
  'overview',
  'yaml',
  ...(withLogs.has(kind) ? ['logs'] : []),
  ...(kind === 'Pod' ? ['terminal', 'files'] : []),
  ...(kind === 'Event' ? [] : ['history']),
];
