/** English: the files of a container. */
export const files = {
  path: 'Folder',
  upload: 'Upload',
  archive: 'Folder as archive',
  size: 'Size',
  modified: 'Changed',
  empty: 'Nothing in here',
  emptyHint: 'Drop files here, or choose Upload.',
  sent: '{{sent}} of {{size}}',
  stop: 'Stop sending {{name}}',
  cutOff_one: 'Only the first is shown.',
  cutOff_other: 'Only the first {{count}} are shown.',
} as const;
