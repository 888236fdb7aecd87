/** English: the look of a cluster. */
export const look = {
  title: 'Look',
  hint: 'For everybody who reaches the cluster.',
  colour: 'Colour',
  'hue.none': 'none',
  'hue.red': 'red',
  'hue.orange': 'orange',
  'hue.green': 'green',
  'hue.blue': 'blue',
  'hue.purple': 'purple',
  'hue.grey': 'grey',
  banner: 'Banner',
  bannerHint: 'Stands over each page of the cluster, such as “Production”.',
  group: 'Group',
  groupHint: 'Clusters of one group stand together.',
  noGroup: 'Without a group',
} as const;
