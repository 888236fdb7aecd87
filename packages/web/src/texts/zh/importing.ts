/** Simplified Chinese: bringing a cluster. */
import type { importing as en } from '../en/importing.ts';
import type { SameKeys } from '../same-keys.ts';

export const importing: SameKeys<typeof en> = {
  lead: '集群保持不动，其中的代理会主动连接本服务器，集群一侧无需开放任何端口。',
  name: '名称',
  nameHint: '小写字母、数字和连字符。',
  description: '用途（可选）',
  next: '下一步：获取命令',
  title: '导入 {{name}}',
  run: '以集群管理员身份，在 kubectl 能访问该集群的机器上运行',
  runHint: '持有此命令的人可以用别的集群顶替，请勿传播。',
  trusted: '如果那台机器信任本服务器的证书',
  untrusted: '如果那台机器不信任本服务器的证书',
  progress: '接下来的步骤',
  'step.registered': '集群已登记',
  'step.connected': '代理已连接',
  'step.answers': '集群 API 可通过隧道访问',
  'step.ready': '就绪',
  'wait.connected':
    '等待运行命令。如果已经运行，可用“kubectl -n cattle-system logs deploy/cattle-cluster-agent”查看代理无法连接本服务器的原因。',
  'wait.answers': '代理已连接，正在获取集群版本。',
  'wait.ready': '即将完成：正在检查健康状况并创建默认项目。',
  open: '打开集群',
};
