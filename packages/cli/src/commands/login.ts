/**
 * login, logout, whoami: trust first (a fingerprint or a file, never in silence), then the password, then the token is
 * kept. The password goes nowhere but to the server.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { badRequest, ignoreNotFound, invalid } from '@drover/base';
import { Client, type V3Resource } from '../client.ts';
import { chooseServer, readConfig, type SavedServer, withServer, writeConfig } from '../config.ts';
import { type GlobalFlags, openContext, traceOf } from '../context.ts';
import { say } from '../messages.ts';
import { printData } from '../output.ts';
import { askPassword, askText, hasTerminal, readStdin } from '../prompt.ts';
import { findTrusted, fingerprintOf, parseFingerprint, seeChain } from '../trust.ts';

export interface LoginFlags extends GlobalFlags {
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly token?: string;
  readonly caFile?: string;
  readonly caFingerprint?: string;
  readonly name?: string;
}

export async function login(address: string, flags: LoginFlags): Promise<void> {
  const url = parseServerUrl(address);
  const config = await readConfig();
  const ca = await decideTrust(url, flags);
  const token = flags.token ? parseToken(flags.token) : await passwordLogin(url, ca, flags);
  await using client = new Client({ url, ca, token }, { trace: traceOf(flags) });
  const me = await whoIs(client);
  const name = flags.name ?? new URL(url).host;
  const username = String(me['username'] ?? me.id);
  await writeConfig(withServer(config, name, { ...config.servers[name], url, ca, token, username }));
  process.stderr.write(`${say('signedIn', { url, user: username })}\n`);
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
  process.stdout.write(`${me['username'] ?? me.id} (${me.id}) @ ${context.server.url}\n`);
}

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

async function passwordLogin(url: string, ca: string | undefined, flags: LoginFlags): Promise<string> {
  const username = flags.username ?? (await askText(say('username'), '--username'));
  const password = flags.passwordStdin ? await readStdin() : await askPassword(say('password'), '--password-stdin');
  await using client = new Client({ url, ca }, { trace: traceOf(flags) });
  const body = { type: 'localProvider', username, password, description: 'drover CLI', responseType: 'json' };
  const { token } = await client.request<{ token?: string }>(
    'POST',
    '/v3-public/localProviders/local?action=login',
    body,
  );
  if (!token) throw badRequest(`${url} gave no token`);
  await changeFirstPassword({ url, ca, token }, password, flags);
  return token;
}

/** On a first sign-in the password must be replaced; without a terminal that is left for later, and said. */
async function changeFirstPassword(server: SavedServer, current: string, flags: LoginFlags): Promise<void> {
  await using client = new Client(server, { trace: traceOf(flags) });
  const me = await whoIs(client);
  if (me['mustChangePassword'] !== true) return;
  process.stderr.write(`${say('mustChange')}\n`);
  if (!hasTerminal()) return;
  const setting = await ignoreNotFound(client.get('/v3/settings/password-min-length'));
  for (;;) {
    const next = await askPassword(say('newPassword', { min: String(setting?.['value'] ?? 12) }), '--password-stdin');
    if (next !== (await askPassword(say('repeatPassword'), '--password-stdin'))) {
      process.stderr.write(`${say('passwordsDiffer')}\n`);
      continue;
    }
    await client.request('POST', '/v3/users?action=changepassword', { currentPassword: current, newPassword: next });
    process.stderr.write(`${say('passwordChanged')}\n`);
    return;
  }
}
