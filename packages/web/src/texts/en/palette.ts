/** English: the palette and the sheet of keys. */
export const palette = {
  title: 'Search everything',
  placeholder: 'Cluster, kind, page or object …',
  nothing: 'Nothing found.',
  clusters: 'Clusters',
  kinds: 'Here',
  pages: 'Pages',
  objects: 'Objects',
  goTo: 'Go to {{name}}',
  keyFilter: 'Filter the list',
  keyMove: 'Move in a list',
  keyOpen: 'Open the row',
  keySelect: 'Select the row',
  keyExtend: 'Select while moving',
} as const;
