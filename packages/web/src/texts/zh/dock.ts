/** Simplified Chinese: the dock with its shells. */
import type { dock as en } from '../en/dock.ts';
import type { SameKeys } from '../same-keys.ts';

export const dock: SameKeys<typeof en> = {
  title: '终端',
  height: '终端高度',
  fold: '收起终端',
  unfold: '展开终端',
  close: '结束 {{name}}',
  connecting: '正在连接，Shell 仍在运行。',
  gone: '无法再连接到该 Shell：断开超过一分钟，或未能打开。',
  lost_other: '断开期间有 {{count}} 字节输出未能保留',
  find: '向上查找',
  isBelow: 'Shell 位于下方的停靠栏。切换页面或网络中断不超过一分钟时，它会继续运行。',
  another: '再开一个 Shell',
  debug: '调试容器',
  debugHint:
    '一个带有工具的容器会加入该 Pod，并能看到“{{name}}”的进程。它会保留到 Pod 结束；需要对 pods/ephemeralcontainers 的 patch 权限。',
  start: '启动',
  kubectl: 'kubectl Shell',
  kubectlOff: '此服务器已关闭 kubectl Shell。',
  kubectlAway: '集群未连接。',
};
