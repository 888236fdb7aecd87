/** English: a cluster at a glance. */
export const overview = {
  trouble: 'Needs a look',
  well: 'Everything that reports a state is well.',
  warnings: 'Warnings',
  steps: 'Steps, and what the hosts say',
  doctor: 'Check the connection',
  doctorHint: 'As the cluster’s agent sees it, from its own end.',
  'check.dns': 'Name of this server',
  'check.tls': 'Certificate of this server',
  'check.clock': 'Clock',
  'check.proxy': 'Proxy',
  'check.kube-apiserver': 'API of the cluster',
  deprecated: 'Deprecated APIs',
  deprecatedHint:
    'What somebody has asked the cluster’s API server for since it started. Change it before an upgrade to a version without.',
  noDeprecated: 'Nobody has asked for a deprecated API',
  deprecatedUnknown:
    'Whether deprecated APIs are in use can’t be told: the metrics of the cluster’s API server are not to be had.',
  goneWith: 'In use, and gone in {{version}}:',
  removedIn: 'Gone from {{version}} on',
  notRemoved: 'Deprecated; no version is named that is without it',
  noWarnings: 'No warnings lately.',
} as const;
