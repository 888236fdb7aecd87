/** Simplified Chinese: refusals and failures, by the code that the server gives them. */
import type { errors as en } from '../en/errors.ts';
import type { SameKeys } from '../same-keys.ts';

export const errors: SameKeys<typeof en> = {
  Unreachable: '无法连接服务器',
  UnreachableHint: '请检查网络。页面会自动重试。',
  Unauthorized: '登录已过期',
  UnauthorizedHint: '请重新登录，之后会回到此页面。',
  Forbidden: '您无权查看此内容',
  ForbiddenHint: '集群所有者或管理员可以授予所需的角色。',
  NotFound: '对象不存在',
  NotFoundHint: '它可能已被删除，或者您无权查看。',
  Conflict: '其他人已修改了它',
  ConflictHint: '请先查看它现在的内容，再决定如何处理。',
  Invalid: '内容未被接受',
  InvalidHint: '服务器的说明如下。',
  TooMany: '请求过于频繁',
  TooManyHint: '请稍候再试。',
  Unavailable: '暂时无法连接集群',
  UnavailableHint: '集群代理未连接。连接恢复后页面会自动继续。',
  Failed: '操作未成功',
  original: '原文',
  FailedHint: '服务器的说明如下。',
};
