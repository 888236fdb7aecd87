/** Simplified Chinese: a cluster at a glance. */
import type { overview as en } from '../en/overview.ts';
import type { SameKeys } from '../same-keys.ts';

export const overview: SameKeys<typeof en> = {
  trouble: '需要关注',
  well: '所有报告状态的资源均正常。',
  warnings: '警告',
  steps: '查看步骤和主机日志',
  doctor: '检查连接',
  doctorHint: '由集群代理从其自身一侧检查。',
  'check.dns': '本服务器的域名',
  'check.tls': '本服务器的证书',
  'check.clock': '时钟',
  'check.proxy': '代理服务器',
  'check.kube-apiserver': '集群 API',
  noWarnings: '最近没有警告。',
};
