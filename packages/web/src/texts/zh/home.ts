/** Simplified Chinese: the clusters, and what their states mean. */
import type { home as en } from '../en/home.ts';
import type { SameKeys } from '../same-keys.ts';

export const home: SameKeys<typeof en> = {
  title: '集群',
  import: '导入集群',
  find: '按名称、来源或版本筛选',
  summary_other: '共 {{count}} 个集群',
  unwell_other: '{{count}} 个需要关注',
  name: '名称',
  state: '状态',
  version: 'Kubernetes',
  provider: '来源',
  nodes: '节点',
  cpu: 'CPU',
  memory: '内存',
  pods: 'Pod',
  age: '存在时间',
  emptyTitle: '还没有集群',
  emptyHint:
    '可以接入任何 Kubernetes 集群：一条命令即可在其中启动代理，由代理主动连接本服务器，集群一侧无需开放任何端口。',
  emptyRights: '您还不是任何集群的成员。集群所有者可以在“成员”中添加您。',
  noMatch: '没有与“{{text}}”匹配的集群',
  clearFilter: '清除筛选',
  used: '已用 {{used}}',
  requested: '已请求 {{requested}}，共 {{total}}',
  ofPods: '{{used}} / {{total}}',
  unknown: '暂无数据',
  pinned: '已置顶',
  'provider.imported': '导入',
  'provider.local': '本地',
  'provider.rke': '主机',
  openKubeconfig: '下载 kubeconfig',
  cluster: '集群',
};
