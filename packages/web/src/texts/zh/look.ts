/** Simplified Chinese: the look of a cluster. */
import type { look as en } from '../en/look.ts';
import type { SameKeys } from '../same-keys.ts';

export const look: SameKeys<typeof en> = {
  title: '外观',
  hint: '对所有能访问此集群的人生效。',
  colour: '颜色',
  'hue.none': '无',
  'hue.red': '红',
  'hue.orange': '橙',
  'hue.green': '绿',
  'hue.blue': '蓝',
  'hue.purple': '紫',
  'hue.grey': '灰',
  banner: '横幅',
  bannerHint: '显示在集群每个页面的顶部，例如“生产环境”。',
  group: '分组',
  groupHint: '同一分组的集群排在一起。',
  noGroup: '未分组',
};
