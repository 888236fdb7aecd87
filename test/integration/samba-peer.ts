/**
 * A real Active Directory domain controller for sign-in tests: Samba's, with its LDAP doors alone, on an address of loopback of its
 * own since their ports can't be chosen. Filled before it starts, which takes a fraction of the time that it would take over LDAP.
 */
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@drover/base';
import { issueCert, makeCa } from '@drover/engine';
import { startChild } from './child.ts';

const run = promisify(execFile);
export const domain = 'DROVER';
export const realm = 'ad.drover.test';
export const base = 'DC=ad,DC=drover,DC=test';
export const administrator = { name: 'Administrator', password: 'Passw0rd-of-admin' };

const programs = ['/usr/sbin/samba', '/usr/bin/samba-tool', '/usr/bin/ldbadd', '/usr/share/samba/setup/provision.ldif'];

/** Only root may have LDAP's ports. */
export function missingSamba(): string | false {
  const missing = programs.find(program => !existsSync(program));
  if (missing) return `${missing} is not installed`;
  return process.getuid?.() === 0 ? false : 'only root may listen on port 389';
}

export const userDn = (name: string): string => `CN=${name},OU=People,${base}`;
export const groupDn = (name: string): string => `CN=${name},OU=Groups,${base}`;
export const passwordOf = (name: string): string => `Sesame-${name}-1`;

export interface AdUser {
  readonly name: string;
  readonly more?: readonly string[];
  /** Most have none that anybody knows: making its hashes takes time. */
  readonly hasPassword?: boolean;
}

export interface SambaPeer extends AsyncDisposable {
  /** Where its LDAP doors are. */
  readonly address: string;
  /** PEM that its certificate is signed by. */
  readonly ca: string;
  readonly seconds: number;
}

export async function startSamba(content: {
  readonly users: readonly AdUser[];
  readonly groups: Readonly<Record<string, readonly string[]>>;
}): Promise<SambaPeer> {
  const began = Date.now();
  const dir = await mkdtemp(join(tmpdir(), 'drover-ad-'));
  const address = `127.${randomInt(64, 127)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  const options = [
    `posix:eadb=${dir}/private/eadb.tdb`,
    `interfaces=${address}/8`,
    'bind interfaces only=yes',
    `pid directory=${dir}`,
    `ncalrpc dir=${dir}/ncalrpc`,
    `log file=${dir}/log`,
  ];
  await mkdir(join(dir, 'private'));
  const provision = ['domain', 'provision', `--targetdir=${dir}`, `--realm=${realm}`, `--domain=${domain}`];
  const as = ['--host-name=dc1', '--server-role=dc', '--dns-backend=NONE', `--adminpass=${administrator.password}`];
  const flags = options.map(option => `--option=${option}`);
  await run('samba-tool', [...provision, ...as, ...flags], { maxBuffer: 16 * 1024 * 1024 }).catch(async error => {
    throw new Error(`samba-tool: ${String(error.stderr ?? error).slice(-1500)}`);
  });
  await writeFile(join(dir, 'content.ldif'), ldif(content));
  const sam = join(dir, 'private/sam.ldb');
  // Without batch mode the indexes of all are copied for each one that is added: four times as long for 5,000.
  const fill = ['-o', 'batch_mode:1', '--nosync', '-H', sam, join(dir, 'content.ldif')];
  await run('ldbadd', fill, { maxBuffer: 16 * 1024 * 1024 });
  const ca = await makeCa('directory');
  const names = { commonName: 'dc1', dnsNames: [`dc1.${realm}`], ips: [address] };
  const pair = await issueCert(ca, { ...names, usages: ['server'] });
  const files = { 'ca.pem': ca.cert, 'cert.pem': pair.cert, 'key.pem': pair.key.reveal() };
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text, { mode: 0o600 });
  const tls = ['tls cafile=ca.pem', 'tls certfile=cert.pem', 'tls keyfile=key.pem'].map(each =>
    each.replace('=', `=${dir}/`),
  );
  const started = [...options, ...tls, 'server services=ldap'].map(option => `--option=${option}`);
  const logPath = join(dir, 'out');
  const child = await startChild(
    '/usr/sbin/samba',
    ['-i', '-M', 'single', '-s', join(dir, 'etc/smb.conf'), ...started],
    {
      logPath,
    },
  );
  await until(
    'the domain controller',
    async () => {
      const ended = await Promise.race([child.exited, Promise.resolve(undefined)]);
      if (ended !== undefined) throw new Error(`samba ended with ${ended}: ${await readFile(logPath, 'utf8')}`);
      return answers(address);
    },
    { timeoutMs: 60_000 },
  );
  return {
    address,
    ca: ca.cert,
    seconds: (Date.now() - began) / 1000,
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function ldif({ users, groups }: Parameters<typeof startSamba>[0]): string {
  const units = ['People', 'Groups'].map(ou => [`dn: OU=${ou},${base}`, 'objectClass: organizationalUnit']);
  const people = users.map(({ name, more = [], hasPassword }) => [
    `dn: ${userDn(name)}`,
    'objectClass: user',
    `sAMAccountName: ${name}`,
    ...(hasPassword ? [`unicodePwd:: ${Buffer.from(`"${passwordOf(name)}"`, 'utf16le').toString('base64')}`] : []),
    ...(more.some(line => line.startsWith('userAccountControl:')) ? more : ['userAccountControl: 512', ...more]),
  ]);
  const sets = Object.entries(groups).map(([name, members]) => [
    `dn:: ${Buffer.from(groupDn(name)).toString('base64')}`,
    'objectClass: group',
    ...(/^[\w-]+$/.test(name) ? [`sAMAccountName: ${name}`] : []),
    // A security group, global.
    'groupType: -2147483646',
    ...members.map(member => `member:: ${Buffer.from(member).toString('base64')}`),
  ]);
  return `${[...units, ...people, ...sets].map(lines => lines.join('\n')).join('\n\n')}\n`;
}

function answers(address: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(636, address);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
