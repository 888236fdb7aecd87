/** English: a cluster at a glance. */
export const overview = {
  trouble: 'Needs a look',
  well: 'Everything that reports a state is well.',
  warnings: 'Warnings',
  noWarnings: 'No warnings lately.',
} as const;
