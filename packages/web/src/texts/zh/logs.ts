/** Simplified Chinese: logs and terminals. */
import type { logs as en } from '../en/logs.ts';
import type { SameKeys } from '../same-keys.ts';

export const logs: SameKeys<typeof en> = {
  find: '查找：文本、/正则/、!排除',
  allContainers: '全部容器',
  tail: '行数',
  lastLines: '最近 {{count}} 行',
  range: '时间范围',
  anyTime: '任意时间',
  lastMinutes_other: '最近 {{count}} 分钟',
  lastHours_other: '最近 {{count}} 小时',
  point: '{{time}}：让地址指向此行',
  pointed: '正在显示 {{time}} 附近的日志，当前地址指向这一行。',
  unpoint: '回到当前',
  previous: '上次重启之前',
  wrap: '自动换行',
  pause: '暂停',
  goOn: '继续',
  download: '下载当前显示的内容',
  nothing: '还没有日志。',
  gap: '连接在此处中断，正在恢复',
  refused: '集群的说明：',
  shellEnded: 'Shell 已结束。',
  again: '重新打开',
};
