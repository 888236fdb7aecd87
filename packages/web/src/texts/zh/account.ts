/** Simplified Chinese: one's own second factor. */
import type { account as en } from '../en/account.ts';
import type { SameKeys } from '../same-keys.ts';

export const account: SameKeys<typeof en> = {
  title: '第二因素',
  on: '已启用，剩余 {{count}} 个恢复码。',
  off: '未启用：仅凭密码即可登录。',
  elsewhere: '您在别处登录，第二因素由那里管理。',
  addCodes: '添加验证器应用',
  removeCodes: '移除验证器应用',
  addKey: '添加安全密钥',
  removeKey: '移除“{{name}}”？',
  key: '安全密钥',
  keyName: '名称，例如“钥匙串上的蓝色那把”',
  lastUsed: '上次使用',
  never: '从未',
  rename: '重命名',
  noKeys: '没有安全密钥',
  noKeysHint: '仿冒的页面骗不走安全密钥，也骗不走本设备的解锁方式。',
  touch: '继续',
  touchHint: '随后浏览器会请您触碰密钥。',
  next: '继续',
  secretHint: '请将它添加到验证器应用，然后输入应用显示的验证码。按钮会以地址形式复制。',
  codeOrKey: '来自验证器应用，或一个恢复码。留空则使用安全密钥。',
  recovery: '请保存这些恢复码',
  recoveryHint: '每个只能用一次，供手机和密钥都丢失时使用。之后不再显示。',
  kept: '我已保存',
};
