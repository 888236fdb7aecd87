/** English: signing in, and the first sign-in of an installation. */
export const signIn = {
  title: 'Sign in to Drover',
  with: 'Sign in with',
  'provider.local': 'Local account',
  username: 'User name',
  password: 'Password',
  submit: 'Sign in',
  wrong: 'That user name and password do not belong together.',
  tooMany: 'Too many tries. Wait a minute, then try again.',
  firstHint: 'First sign-in? The user is “admin”; its password stands where the server was started.',
  setupTitle: 'Two things before you start',
  newPassword: 'New password for {{name}}',
  newPasswordHint:
    'At least {{count}} characters. A few unrelated words are easier to remember and harder to guess than symbols.',
  currentPassword: 'Current password',
  again: 'New password again',
  differ: 'The two passwords differ.',
  serverUrl: 'Address of this server',
  serverUrlHint: 'Agents in your clusters and downloaded kubeconfigs use it, so it must be reachable from there.',
  serverUrlLocal: 'This address leads to this machine only: clusters elsewhere will not reach it.',
  privacy: 'Drover sends nothing to anybody: no usage data, no version checks.',
  start: 'Save and start',
} as const;
