/** What the command line says in conversation, in English and Chinese; a test holds the two tables to the same keys. */

const en = {
  signedInNowhere: 'You are not signed in to any server. Run: drover login https://SERVER',
  unknownServer: '"{name}" is none of the servers signed in to ({known}). Run: drover login {name}',
  notSignedIn: 'You are not signed in to {url}. Run: drover login {url}',
  sessionEnded: 'Your sign-in to {url} is no longer valid. Run: drover login {url}',
  username: 'Username',
  password: 'Password',
  newPassword: 'New password (at least {min} characters)',
  repeatPassword: 'The same once more',
  passwordsDiffer: 'The two differ; try again.',
  mustChange: 'This is the first sign-in: choose a password of your own.',
  mustChangeLater: 'The first password still stands. Choose your own: drover users set-password {user}',
  wrongPassword: 'authentication failed: no such user, or another password',
  browserOpen: 'Open this address in a browser, on any machine, and sign in:\n\n  {url}\n',
  browserCode: 'The page must show this code: {code}\nWaiting until it is allowed there …',
  browserDenied: 'the sign-in was denied in the browser',
  browserLate: 'nobody allowed the sign-in in time; try again',
  tokenUnknown: 'the server does not take this token: it has ended, or never was',
  passwordChanged: 'Password changed.',
  signedIn: 'Signed in to {url} as {user}.',
  signedOut: 'Signed out of {url}.',
  untrusted: 'The certificate of {url} is signed by a CA that this machine does not know:',
  fingerprintIs: 'SHA-256 fingerprint: {fingerprint}',
  askFingerprint: 'Type or paste the fingerprint that the server printed when it started',
  fingerprintWrong: 'That is not the fingerprint of this server. Nothing was sent to it.',
  noTerminal: 'there is no terminal to ask on; give {flag}',
  needFingerprint: 'not trusted: give --ca-fingerprint (printed by "drover up" when it starts) or --ca-file',
  deleteAsk: 'Delete {type} "{name}"?',
  deleted: '{type} "{name}" deleted.',
  deleting: '{type} "{name}" is being deleted.',
  endpointOn:
    'The authorized endpoint of "{name}" is being set up. Its kube-apiservers need a file: drover clusters endpoint webhook',
  endpointOff: 'The authorized endpoint of "{name}" is being taken away.',
  nothing: 'None.',
  importMade: 'Cluster "{name}" ({id}) registered.',
  importAgain: 'Cluster "{name}" ({id}) is registered and has no agent yet: going on with it.',
  importLoopback:
    'Note: agents are told to connect to {url}, which means their own machine to them. Set the address that clusters reach: drover settings set server-url https://NAME:PORT',
  importApplying: 'Applying the agent to context "{context}"',
  importWaiting: 'Waiting for the agent to connect',
  importActive: 'Cluster "{name}" is active.',
  importStuck: 'Not active after {seconds} s: {cause}',
  importRun: 'Run this where kubectl reaches the cluster:',
  currentCluster: 'Commands are now about cluster "{name}".',
  kubeconfigWritten: 'Context "{context}" written to {path}.',
  tokenOnce: 'The token, shown this once; it ends {end}:',
  never: 'never',
  saved: 'Saved.',
  doctorOk: 'Everything checked is in order.',
  doctorStopped: 'Not tried, since it would fail of the same cause: {checks}.',
  doctorBad: '{count} problem(s) found.',
} as const;

export type MessageKey = keyof typeof en;

const zh: Record<MessageKey, string> = {
  signedInNowhere: '尚未登录任何服务器。请运行:drover login https://SERVER',
  unknownServer: '“{name}”不在已登录的服务器({known})之中。请运行:drover login {name}',
  notSignedIn: '尚未登录 {url}。请运行:drover login {url}',
  sessionEnded: '{url} 的登录已失效。请运行:drover login {url}',
  username: '用户名',
  password: '密码',
  newPassword: '新密码(至少 {min} 个字符)',
  repeatPassword: '再次输入新密码',
  passwordsDiffer: '两次输入不一致,请重试。',
  mustChange: '首次登录,请设置您自己的密码。',
  mustChangeLater: '首次登录的密码仍然有效。请设置自己的密码:drover users set-password {user}',
  wrongPassword: '身份验证失败:没有该用户,或密码不对',
  browserOpen: '请在任意一台机器的浏览器中打开以下地址并登录:\n\n  {url}\n',
  browserCode: '页面必须显示以下代码:{code}\n正在等待在页面上允许……',
  browserDenied: '登录在浏览器中被拒绝',
  browserLate: '未在时限内获得允许,请重试',
  tokenUnknown: '服务器不接受该令牌:它已失效或从未存在',
  passwordChanged: '密码已修改。',
  signedIn: '已以 {user} 登录 {url}。',
  signedOut: '已退出 {url}。',
  untrusted: '{url} 的证书由本机不认识的 CA 签发:',
  fingerprintIs: 'SHA-256 指纹:{fingerprint}',
  askFingerprint: '请输入或粘贴服务器启动时打印的指纹',
  fingerprintWrong: '这不是该服务器的指纹,未向其发送任何内容。',
  noTerminal: '没有可供提问的终端,请使用 {flag}',
  needFingerprint: '证书不受信任:请使用 --ca-fingerprint(“drover up”启动时会打印)或 --ca-file',
  deleteAsk: '确定删除 {type}“{name}”吗?',
  deleted: '{type}“{name}”已删除。',
  deleting: '正在删除 {type}“{name}”。',
  endpointOn: '正在设置“{name}”的授权端点。它的每个 kube-apiserver 都需要一个配置文件:drover clusters endpoint webhook',
  endpointOff: '正在撤除“{name}”的授权端点。',
  nothing: '没有内容。',
  importMade: '集群“{name}”({id})已登记。',
  importAgain: '集群“{name}”({id})已登记但尚无代理,继续进行。',
  importLoopback:
    '注意:代理会连接 {url},而那在它们看来是它们自己的机器。请设置集群可以访问的地址:drover settings set server-url https://NAME:PORT',
  importApplying: '正在向上下文“{context}”安装代理',
  importWaiting: '正在等待代理连接',
  importActive: '集群“{name}”已就绪。',
  importStuck: '{seconds} 秒后仍未就绪:{cause}',
  importRun: '请在 kubectl 能访问该集群的地方运行:',
  currentCluster: '后续命令将针对集群“{name}”。',
  kubeconfigWritten: '上下文“{context}”已写入 {path}。',
  tokenOnce: '令牌仅显示这一次,到期时间:{end}',
  never: '永不到期',
  saved: '已保存。',
  doctorOk: '所有检查均正常。',
  doctorStopped: '因同样的原因必然失败而未检查:{checks}。',
  doctorBad: '发现 {count} 个问题。',
};

export const tables = { en, zh };

/** Chinese where the environment asks for it, by gettext's order of variables. */
export function languageOf(env: NodeJS.ProcessEnv = process.env): 'en' | 'zh' {
  const wanted = env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || '';
  return /^zh/i.test(wanted) ? 'zh' : 'en';
}

export function say(
  key: MessageKey,
  values: Readonly<Record<string, string | number>> = {},
  language = languageOf(),
): string {
  return tables[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}
