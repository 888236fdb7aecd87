/** English: what a cluster used. */
export const usage = {
  title: 'Usage',
  hint: 'Of the last hours, since somebody first looked: a sample a minute.',
  'by.node': 'By node',
  'by.namespace': 'By namespace',
  'by.workload': 'By workload',
  nothing: 'Nothing to show',
  nothingHint:
    'The cluster has told of nothing that you may see. It takes the metrics server in it, and the right to list its metrics.',
} as const;
