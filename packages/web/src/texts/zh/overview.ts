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
  deprecated: '已弃用的 API',
  deprecatedHint: '集群 API 服务器自启动以来收到过请求的已弃用 API。升级到不再提供它们的版本之前，请先改用新的 API。',
  noDeprecated: '没有人请求过已弃用的 API',
  deprecatedUnknown: '无法读取集群 API 服务器的指标，因此无法得知是否仍在使用已弃用的 API。',
  goneWith: '仍在使用，但 {{version}} 不再提供：',
  removedIn: '从 {{version}} 起不再提供',
  notRemoved: '已弃用；尚未确定从哪个版本起不再提供',
  noWarnings: '最近没有警告。',
};
