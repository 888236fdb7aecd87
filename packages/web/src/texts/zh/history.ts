/** Simplified Chinese: what happened in a cluster, as the server has kept it. */
import type { history as en } from '../en/history.ts';
import type { SameKeys } from '../same-keys.ts';

export const history: SameKeys<typeof en> = {
  title: '时间线',
  hint: '服务器保存的最近 30 天的事件和更改。',
  'of.all': '全部',
  'of.warning': '警告',
  'of.event': '事件',
  'of.change': '更改',
  text: '在时间线中查找',
  none: '尚无记录',
  noneHint: '从现在起发生的事会在此保存 30 天。',
  noneFits: '没有符合条件的记录',
  'what.made': '已创建',
  'what.changed': '已更改',
  'what.deleted': '已删除',
  times_other: '{{count}} 次',
  gap_other: '有 {{count}} 条记录来得太快，未能保存',
  nothing: '（无）',
  older: '更早的记录',
};
