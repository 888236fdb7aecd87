/** English: what the editor itself says; `$` is a number. */
export const editor = {
  unchangedlines: '$ unchanged lines',
  Find: 'Find',
  next: 'Next',
  previous: 'Previous',
  all: 'All',
  matchcase: 'Match case',
  regexp: 'Expression',
  byword: 'Whole words',
  close: 'Close',
  Foldline: 'Fold',
  Unfoldline: 'Unfold',
} as const;
