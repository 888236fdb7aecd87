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
  noWarnings: 'No warnings lately.',
} as const;
