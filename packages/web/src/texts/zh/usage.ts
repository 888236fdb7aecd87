/** Simplified Chinese: what a cluster used. */
import type { usage as en } from '../en/usage.ts';
import type { SameKeys } from '../same-keys.ts';

export const usage: SameKeys<typeof en> = {
  title: '用量',
  hint: '自首次查看以来最近几小时的数据，每分钟一次采样。',
  'by.node': '按节点',
  'by.namespace': '按命名空间',
  'by.workload': '按工作负载',
  nothing: '没有可显示的数据',
  nothingHint: '集群没有返回您可查看的数据。集群中需要有 metrics server，且您需要有列出指标的权限。',
};
