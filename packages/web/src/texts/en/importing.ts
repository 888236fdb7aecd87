/** English: bringing a cluster. */
export const importing = {
  lead: 'The cluster stays where it is. An agent in it dials this server; nothing has to be opened on its side.',
  name: 'Name',
  nameHint: 'Lower-case letters, digits and hyphens.',
  description: 'What is it for? (optional)',
  next: 'Next: the command',
  title: 'Import {{name}}',
  run: 'Run this where kubectl reaches the cluster, as its administrator',
  runHint: 'Whoever has this command can connect a cluster in its place: don’t pass it around.',
  trusted: 'If that machine trusts this server’s certificate',
  untrusted: 'If that machine doesn’t trust this server’s certificate',
  progress: 'What happens then',
  'step.registered': 'The cluster has its place here',
  'step.connected': 'Its agent has dialled in',
  'step.answers': 'Its API answers through the tunnel',
  'step.ready': 'Ready',
  'wait.connected':
    'Waiting for the command to be run. Should it be running already: “kubectl -n cattle-system logs deploy/cattle-cluster-agent” tells why it can’t reach this server.',
  'wait.answers': 'The agent is there; asking the cluster for its version.',
  'wait.ready': 'Almost there: checking health, making the default projects.',
  open: 'Open the cluster',
} as const;
