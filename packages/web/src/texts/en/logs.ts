/** English: logs and terminals. */
export const logs = {
  find: 'Find: text, /expression/, !not',
  allContainers: 'All containers',
  tail: 'How many lines',
  lastLines: 'Last {{count}} lines',
  previous: 'Before the last restart',
  wrap: 'Wrap',
  pause: 'Pause',
  goOn: 'Go on',
  download: 'Download what is shown',
  nothing: 'No lines yet.',
  gap: 'the connection broke here; coming back',
  refused: 'The cluster says:',
  shellEnded: 'The shell has ended.',
  again: 'Open another',
} as const;
