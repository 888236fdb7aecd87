/** Simplified Chinese: signing in, and the first sign-in of an installation. */
import type { signIn as en } from '../en/sign-in.ts';
import type { SameKeys } from '../same-keys.ts';

export const signIn: SameKeys<typeof en> = {
  title: '登录 Drover',
  with: '登录方式',
  'provider.local': '本地账号',
  username: '用户名',
  password: '密码',
  submit: '登录',
  wrong: '用户名与密码不匹配。',
  code: '验证码',
  codeHint: '来自验证器应用，或使用一个恢复码。',
  wrongCode: '验证码错误或已用过，或者密码已更改。',
  tooMany: '尝试次数过多，请等待一分钟后再试。',
  firstHint: '首次登录？用户名为“admin”，密码显示在启动服务器的终端里。',
  setupTitle: '开始之前的两项设置',
  newPassword: '为 {{name}} 设置新密码',
  newPasswordHint: '至少 {{count}} 个字符。几个互不相关的词比符号更好记，也更难猜。',
  currentPassword: '当前密码',
  again: '再次输入新密码',
  differ: '两次输入的密码不一致。',
  serverUrl: '本服务器的地址',
  serverUrlHint: '集群中的代理和下载的 kubeconfig 会使用该地址，因此集群必须能够访问它。',
  serverUrlLocal: '此地址仅在本机可用，其他机器上的集群将无法访问。',
  privacy: 'Drover 不会向任何人发送数据：没有使用统计，也不检查版本。',
  start: '保存并开始',
};
