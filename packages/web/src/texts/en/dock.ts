/** English: the dock with its shells. */
export const dock = {
  title: 'Terminals',
  height: 'Height of the terminals',
  fold: 'Fold the terminals away',
  unfold: 'Show the terminals',
  close: 'End {{name}}',
  connecting: 'Connecting. The shell goes on meanwhile.',
  gone: 'The shell can’t be reached any more: it was away for more than a minute, or could not be opened.',
  lost_one: '{{count}} byte was written while nobody read, and is gone',
  lost_other: '{{count}} bytes were written while nobody read, and are gone',
  find: 'Find above',
  isBelow:
    'The shell is in the dock below. It stays there while you go elsewhere, and through a break of up to a minute.',
  another: 'Another shell',
  debug: 'Debug container',
  debugHint:
    'A container with tools joins the pod, and sees the processes of “{{name}}”. It stays until the pod ends; it takes the right to patch pods/ephemeralcontainers.',
  start: 'Start',
  kubectl: 'kubectl shell',
  kubectlOff: 'Kubectl shells are switched off on this server.',
  kubectlAway: 'The cluster is not connected.',
} as const;
