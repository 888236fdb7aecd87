/** Simplified Chinese: what the editor itself says; `$` is a number. */
import type { editor as en } from '../en/editor.ts';
import type { SameKeys } from '../same-keys.ts';

export const editor: SameKeys<typeof en> = {
  unchangedlines: '$ 行未变',
  Find: '查找',
  next: '下一个',
  previous: '上一个',
  all: '全部',
  matchcase: '区分大小写',
  regexp: '正则',
  byword: '整词',
  close: '关闭',
  Foldline: '折叠',
  Unfoldline: '展开',
};
