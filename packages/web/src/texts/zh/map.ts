/** Simplified Chinese: the map of what belongs together in a cluster. */
import type { map as en } from '../en/map.ts';
import type { SameKeys } from '../same-keys.ts';

export const map: SameKeys<typeof en> = {
  title: '资源关系图',
  hint: '展示资源之间的关系：所有者、服务及其指向，以及 Pod 使用的资源。',
  asMap: '图',
  asList: '列表',
  onlyUnwell: '仅显示异常',
  none: '这里没有相互关联的资源',
  noneHint: '换一个命名空间或筛选条件可能会有结果。',
  group: '{{kind}} {{name}} 及其相关资源',
  more_other: '以及另外 {{count}} 个类似的 Pod',
  alone: '没有任何关联的资源',
  cut: '每种类型仅显示前 {{count}} 个：选择命名空间可查看其余部分。',
  missing: '以下类型您无权列出，未显示：{{kinds}}',
  keys: '用方向键沿连线移动。',
  from: '从',
  to: '到',
  relation: '关系',
  'rel.owns': '拥有',
  'rel.selects': '选择',
  'rel.routes': '指向',
  'rel.uses': '使用',
  'rel.binds': '绑定到',
  'rel.scales': '伸缩',
  groups_other: '{{count}} 组',
  showMore: '显示更多组',
};
