/** Simplified Chinese: a cluster at a glance. */
import type { overview as en } from '../en/overview.ts';
import type { SameKeys } from '../same-keys.ts';

export const overview: SameKeys<typeof en> = {
  trouble: '需要关注',
  well: '所有报告状态的资源均正常。',
  warnings: '警告',
  noWarnings: '最近没有警告。',
};
