/** The words of the sign-in pages, in English and Chinese. */

export interface SignInTexts {
  readonly lang: string;
  readonly failed: string;
  readonly again: string;
  readonly signIn: string;
  readonly signInFirst: string;
  readonly with: (name: string) => string;
  readonly requestTitle: string;
  readonly requestLead: string;
  readonly codeIs: string;
  readonly requestIdIs: string;
  readonly from: string;
  readonly fromUnknown: string;
  readonly asUser: string;
  readonly gets: string;
  readonly accessAll: string;
  readonly accessKubeconfig: string;
  readonly accessCluster: (id: string) => string;
  readonly warning: string;
  readonly allow: string;
  readonly deny: string;
  readonly allowed: string;
  readonly allowedLead: string;
  readonly denied: string;
  readonly deniedLead: string;
  readonly testTitle: string;
  readonly testLead: string;
}

const en: SignInTexts = {
  lang: 'en',
  failed: 'Sign-in failed',
  again: 'Try again',
  signIn: 'Sign in',
  signInFirst: 'A command line asks to be signed in as you. Sign in first, then decide.',
  with: name => `Sign in with ${name}`,
  requestTitle: 'Sign in a command line?',
  requestLead: 'A command line asks to act as you. Allow it only if you started it yourself just now.',
  codeIs: 'It must show this code:',
  requestIdIs: 'The address that it printed must hold this as its requestId:',
  from: 'Asked from',
  fromUnknown: 'unknown: the request came in an address that somebody opened',
  asUser: 'Signs in as',
  gets: 'Gets',
  accessAll: 'everything that you may do',
  accessKubeconfig: 'access to all your clusters',
  accessCluster: id => `access to cluster ${id}`,
  warning: 'If somebody sent you this address, or the code differs, deny it.',
  allow: 'Allow',
  deny: 'Deny',
  allowed: 'Signed in',
  allowedLead: 'The command line has what it asked for. You can close this page.',
  denied: 'Denied',
  deniedLead: 'The command line got nothing. You can close this page.',
  testTitle: 'The provider works',
  testLead: 'Go back to where you began the test. If it asks for a code, this is it:',
};

const zh: SignInTexts = {
  lang: 'zh-CN',
  failed: '登录失败',
  again: '重试',
  signIn: '登录',
  signInFirst: '有一个命令行请求以您的身份登录。请先登录,再作决定。',
  with: name => `使用 ${name} 登录`,
  requestTitle: '允许命令行登录吗?',
  requestLead: '有一个命令行请求以您的身份操作。只有在您刚刚亲自启动它时才允许。',
  codeIs: '它必须显示以下代码:',
  requestIdIs: '它打印的地址中的 requestId 必须是:',
  from: '请求来自',
  fromUnknown: '未知:请求来自某人打开的地址',
  asUser: '登录身份',
  gets: '将获得',
  accessAll: '您的全部权限',
  accessKubeconfig: '访问您的所有集群',
  accessCluster: id => `访问集群 ${id}`,
  warning: '如果这个地址是别人发给您的,或者代码不一致,请拒绝。',
  allow: '允许',
  deny: '拒绝',
  allowed: '已登录',
  allowedLead: '命令行已获得所请求的内容,可以关闭此页面。',
  denied: '已拒绝',
  deniedLead: '命令行未获得任何内容,可以关闭此页面。',
  testTitle: '提供方工作正常',
  testLead: '请回到您开始测试的地方。如果需要代码,就是它:',
};

export const signInTexts = { en, zh };
