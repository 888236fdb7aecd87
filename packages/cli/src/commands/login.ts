/**
 * login, logout, whoami: trust first (a fingerprint or a file, never in silence), then the password, then the token is
 * kept. The password goes nowhere but to the server.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { badRequest, ignoreNotFound, invalid, StatusError, unauthorized } from '@drover/base';
import { Client, type ClientOptions, type V3Resource } from '../client.ts';
import { chooseServer, readConfig, withServer, writeConfig } from '../config.ts';
import { type GlobalFlags, openContext, traceOf } from '../context.ts';
import { say } from '../messages.ts';
import { printData } from '../output.ts';
import { askPassword, askText, hasTerminal, readStdin } from '../prompt.ts';
import { findTrusted, fingerprintOf, parseFingerprint, seeChain } from '../trust.ts';

export interface LoginFlags extends GlobalFlags {
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly otp?: string;
  readonly token?: string;
  readonly browser?: boolean;
  readonly provider?: string;
  readonly caFile?: string;
  readonly caFingerprint?: string;
  readonly name?: string;
}

export async function login(address: string, flags: LoginFlags): Promise<void> {
  const url = parseServerUrl(address);
  const config = await readConfig();
  const ca = await decideTrust(url, flags);
  const trace = traceOf(flags);
  const byBrowser =
    flags.browser || (!flags.token && (await isElsewhere(url, ca, { provider: flags.provider, trace })));
  const given = flags.token || byBrowser ? undefined : await askWho(flags);
  const token = given
    ? await passwordLogin(url, ca, { ...given, provider: flags.provider, trace })
    : byBrowser
      ? await (await import('./browser-login.ts')).browserLogin(url, ca, { trace })
      : parseToken(flags.token!);
  await using client = new Client({ url, ca, token }, { trace: traceOf(flags) });
  const me = await whoIs(client).catch(error => {
    throw error.status === 401 ? unauthorized(say('tokenUnknown')) : error;
  });
  const name = flags.name ?? new URL(url).host;
  const username = nameOf(me);
  await writeConfig(withServer(config, name, { ...config.servers[name], url, ca, token, username }));
  process.stderr.write(`${say('signedIn', { url, user: username })}\n`);
  if (given && (flags.provider ?? 'local') === 'local' && me['mustChangePassword'] === true)
    await changeFirstPassword(client, username, given.password);
}

export async function logout(flags: GlobalFlags): Promise<void> {
  const config = await readConfig();
  const { name, server } = chooseServer(config, flags.server);
  if (server.token) {
    await using client = new Client(server, { trace: traceOf(flags) });
    await client.request('POST', '/v3/tokens?action=logout', {}).catch(error => {
      if (error.status !== 401) throw error;
    });
  }
  const { token: _, ...rest } = server;
  await writeConfig(withServer(config, name, rest));
  process.stderr.write(`${say('signedOut', { url: server.url })}\n`);
}

export async function whoami(flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const me = await whoIs(context.client);
  const answer = {
    server: context.server.url,
    id: me.id,
    username: me['username'],
    name: me.name,
    principalIds: me['principalIds'],
  };
  if (context.format !== 'table') return printData(answer, context.format);
  process.stdout.write(`${nameOf(me)} (${me.id}) @ ${context.server.url}\n`);
}

/** People who sign in elsewhere have no username here. */
const nameOf = (me: V3Resource): string => String(me['username'] || me.name || me.id);

async function whoIs(client: Client): Promise<V3Resource> {
  const [me] = await client.list('users', { me: 'true' });
  if (!me) throw badRequest('the server does not say who you are');
  return me;
}

function parseServerUrl(address: string): string {
  const text = /^[a-z]+:\/\//i.test(address) ? address : `https://${address}`;
  if (!URL.canParse(text))
    throw invalid('SERVER', `"${address}" must be an address such as https://drover.example.com`);
  const url = new URL(text);
  if (url.protocol !== 'https:')
    throw invalid('SERVER', 'must be an https address: passwords are not sent in the clear');
  if (url.username || url.password) throw invalid('SERVER', 'must be without user and password: give --username');
  return `https://${url.host}`;
}

function parseToken(text: string): string {
  if (!/^[^:\s]+:[^:\s]+$/.test(text)) throw invalid('--token', 'must have the form name:key');
  return text;
}

/** The CA to pin; undefined where the system's roots do. */
async function decideTrust(url: string, flags: LoginFlags): Promise<string | undefined> {
  if (flags.caFile) return readCa(flags.caFile);
  const chain = await seeChain(url);
  if (chain.trusted && !flags.caFingerprint) return undefined;
  let wanted = flags.caFingerprint;
  if (!wanted) {
    process.stderr.write(`${say('untrusted', { url })}\n`);
    for (const certificate of chain.certificates)
      process.stderr.write(`  ${certificate.subject.replaceAll('\n', ', ')}\n`);
    process.stderr.write(`${say('fingerprintIs', { fingerprint: fingerprintOf(chain.certificates.at(-1)!) })}\n`);
    if (!hasTerminal()) throw invalid('--ca-fingerprint', say('needFingerprint'));
    wanted = await askText(say('askFingerprint'), '--ca-fingerprint');
  }
  const ca = findTrusted(chain.certificates, parseFingerprint(wanted));
  if (!ca) throw invalid('--ca-fingerprint', say('fingerprintWrong'));
  return ca;
}

async function readCa(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(cause => {
    throw badRequest(`--ca-file: can't read ${path}`, cause);
  });
  try {
    return new X509Certificate(text) && text;
  } catch (cause) {
    throw badRequest(`--ca-file: ${path} is not a PEM certificate`, cause);
  }
}

interface Provider {
  readonly id: string;
  readonly type: string;
  readonly redirectUrl?: string;
}

/** The provider of that name, as the server shows it. Throws Invalid naming those there are. */
async function findProvider(client: Client, name: string): Promise<Provider> {
  const { data } = await client.get<{ data: readonly Provider[] }>('/v3-public/authProviders');
  const found = data.find(({ id }) => id === name);
  if (!found) throw invalid('--provider', `must be one of ${data.map(({ id }) => id).join(', ')}`);
  return found;
}

/** Whether people are sent elsewhere to sign in with it: only a browser can do that. */
async function isElsewhere(
  url: string,
  ca: string | undefined,
  { provider, trace }: ClientOptions & { readonly provider?: string },
): Promise<boolean> {
  if (provider === undefined || provider === 'local') return false;
  await using client = new Client({ url, ca }, { trace });
  return (await findProvider(client, provider)).redirectUrl !== undefined;
}

interface Given {
  readonly username: string;
  readonly password: string;
  readonly otp?: string;
}

async function askWho(flags: LoginFlags): Promise<Given> {
  const username = flags.username ?? (await askText(say('username'), '--username'));
  return {
    username,
    otp: flags.otp,
    password: await (flags.passwordStdin ? readStdin() : askPassword(say('password'), '--password-stdin')),
  };
}

async function passwordLogin(
  url: string,
  ca: string | undefined,
  { username, password, otp, provider = 'local', trace }: Given & ClientOptions & { readonly provider?: string },
): Promise<string> {
  await using client = new Client({ url, ca }, { trace });
  const type = provider === 'local' ? 'localProvider' : (await findProvider(client, provider)).type;
  const body = { type, username, password, description: 'drover CLI', responseType: 'json' };
  const ask = (more: object) =>
    client.request<{ token?: string }>('POST', `/v3-public/${type}s/${provider}?action=login`, { ...body, ...more });
  const refused = (error: StatusError): never => {
    throw error.status === 401 ? unauthorized(say('wrongPassword')) : error;
  };
  const { token } = await ask(otp === undefined ? {} : { otp }).catch(async error => {
    if (error.details?.code !== 'SecondFactorRequired') return refused(error);
    const given = { username, password };
    const needed = client.request<{ phone: boolean }>('POST', '/v1-public/second-factor', given);
    // Only a browser can speak with a security key.
    if (!(await needed.catch(refused)).phone) return inBrowser(url, ca, { trace });
    return ask({ otp: await askText(say('secondFactorCode'), '--otp') }).catch(refused);
  });
  if (!token) throw badRequest(`${url} gave no token`);
  return token;
}

async function inBrowser(url: string, ca: string | undefined, options: ClientOptions): Promise<{ token: string }> {
  process.stderr.write(`${say('secondFactorBrowser')}\n`);
  return { token: await (await import('./browser-login.ts')).browserLogin(url, ca, options) };
}

/** On a first sign-in the password must be replaced; without a terminal that is left for later, and said. */
async function changeFirstPassword(client: Client, user: string, currentPassword: string): Promise<void> {
  if (!hasTerminal()) return void process.stderr.write(`${say('mustChangeLater', { user })}\n`);
  process.stderr.write(`${say('mustChange')}\n`);
  const setting = await ignoreNotFound(client.get('/v3/settings/password-min-length'));
  for (;;) {
    const newPassword = await askPassword(
      say('newPassword', { min: String(setting?.['value'] ?? 12) }),
      '--password-stdin',
    );
    const same = newPassword === (await askPassword(say('repeatPassword'), '--password-stdin'));
    const refused = same ? await tryPassword(client, { currentPassword, newPassword }) : say('passwordsDiffer');
    process.stderr.write(`${refused ?? say('passwordChanged')}\n`);
    if (refused === undefined) return;
  }
}

/** Why the server does not take it as a password; undefined when it did. */
async function tryPassword(client: Client, body: Record<string, string>): Promise<string | undefined> {
  try {
    await client.request('POST', '/v3/users?action=changepassword', body);
    return undefined;
  } catch (error) {
    if (error instanceof StatusError && error.reason === 'Invalid') return error.message;
    throw error;
  }
}
