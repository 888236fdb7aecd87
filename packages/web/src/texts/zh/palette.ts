/** Simplified Chinese: the palette and the sheet of keys. */
import type { palette as en } from '../en/palette.ts';
import type { SameKeys } from '../same-keys.ts';

export const palette: SameKeys<typeof en> = {
  title: '全局搜索',
  placeholder: '集群、类型、页面或对象…',
  nothing: '没有找到。',
  clusters: '集群',
  kinds: '当前集群',
  pages: '页面',
  objects: '对象',
  goTo: '前往{{name}}',
  keyFilter: '筛选列表',
  keyMove: '在列表中移动',
  keyOpen: '打开该行',
  keySelect: '选择该行',
  keyExtend: '移动并选择',
};
