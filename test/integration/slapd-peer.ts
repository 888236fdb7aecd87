/**
 * A real OpenLDAP for sign-in tests: slapd with a directory of its own, in the clear (for StartTLS) and over LDAPS on free ports of
 * loopback, with groups in groups, groups in a circle, and names that were made to break filters and pages.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@drover/base';
import { issueCert, makeCa } from '@drover/engine';
import { Attribute, Change, Client } from 'ldapts';
import { startChild } from './child.ts';
import { freePort } from './kube-apiserver.ts';

const run = promisify(execFile);
export const suffix = 'dc=drover,dc=test';
export const account = { dn: `cn=admin,${suffix}`, password: 'secret-of-the-service' };
const slapd = '/usr/sbin/slapd';
export const missingSlapd = (): string | false => (existsSync(slapd) ? false : 'slapd is not installed');

export interface SlapdPeer extends AsyncDisposable {
  readonly port: number;
  readonly tlsPort: number;
  readonly ca: string;
  readonly pid: number;
  stop(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** As the directory's own admin. */
  change<T>(work: (client: Client) => Promise<T>): Promise<T>;
  /** Takes the value out of the attribute. */
  without(dn: string, attribute: string, value: string): Promise<void>;
}

export interface Person {
  readonly uid: string;
  readonly more?: readonly string[];
}

export const personDn = (uid: string): string => `uid=${uid},ou=people,${suffix}`;
/** Commas and the like in names are to be escaped already. */
export const groupDn = (cn: string): string => `cn=${cn},ou=groups,${suffix}`;

function ldif(people: readonly Person[], groups: Readonly<Record<string, readonly string[]>>): string {
  const entries = [
    [`dn: ${suffix}`, 'objectClass: dcObject', 'objectClass: organization', 'dc: drover', 'o: Drover'],
    [`dn: ou=people,${suffix}`, 'objectClass: organizationalUnit', 'ou: people'],
    [`dn: ou=groups,${suffix}`, 'objectClass: organizationalUnit', 'ou: groups'],
    ...people.map(({ uid, more = [] }) => [
      `dn: ${personDn(uid)}`,
      'objectClass: inetOrgPerson',
      `uid: ${uid}`,
      `cn: ${uid} of Drover`,
      `sn: ${uid}`,
      `userPassword: ${uid}-opens-1234`,
      ...more,
    ]),
    ...Object.entries(groups).map(([cn, members]) => [
      `dn:: ${Buffer.from(groupDn(cn)).toString('base64')}`,
      'objectClass: groupOfNames',
      ...members.map(member => `member:: ${Buffer.from(member).toString('base64')}`),
    ]),
  ];
  return `${entries.map(lines => lines.join('\n')).join('\n\n')}\n`;
}

export async function startSlapd(content: {
  readonly people: readonly Person[];
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** Of its certificate; below 0 it is over. */
  readonly days?: number;
}): Promise<SlapdPeer> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-slapd-'));
  await mkdir(join(dir, 'data'));
  const ca = await makeCa('directory');
  const names = { commonName: 'localhost', dnsNames: ['localhost'], ips: ['127.0.0.1'] };
  const pair = await issueCert(ca, { ...names, usages: ['server'], days: content.days });
  const files = { 'ca.pem': ca.cert, 'cert.pem': pair.cert, 'key.pem': pair.key.reveal() };
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text, { mode: 0o600 });
  const schemas = ['core', 'cosine', 'nis', 'inetorgperson'].map(name => `include /etc/ldap/schema/${name}.schema`);
  const config = [
    ...schemas,
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    'moduleload memberof',
    `pidfile ${dir}/pid`,
    `TLSCACertificateFile ${dir}/ca.pem`,
    `TLSCertificateFile ${dir}/cert.pem`,
    `TLSCertificateKeyFile ${dir}/key.pem`,
    'database mdb',
    `suffix "${suffix}"`,
    `rootdn "${account.dn}"`,
    `rootpw ${account.password}`,
    `directory ${dir}/data`,
    'index uid,cn eq,sub',
    'index member eq',
    'overlay memberof',
  ];
  await writeFile(join(dir, 'slapd.conf'), `${config.join('\n')}\n`, { mode: 0o600 });
  await writeFile(join(dir, 'content.ldif'), ldif(content.people, content.groups));
  await run(slapd, ['-T', 'add', '-f', join(dir, 'slapd.conf'), '-l', join(dir, 'content.ldif')]);
  const [port, tlsPort] = [await freePort(), await freePort()];
  const urls = `ldap://127.0.0.1:${port} ldaps://127.0.0.1:${tlsPort}`;
  const logPath = join(dir, 'log');
  const child = await startChild(slapd, ['-f', join(dir, 'slapd.conf'), '-h', urls, '-d', '0'], { logPath });
  await until('slapd', async () => {
    const ended = await Promise.race([child.exited, Promise.resolve(undefined)]);
    if (ended !== undefined) throw new Error(`slapd ended with ${ended}: ${await child.tail()}`);
    return answers(tlsPort);
  });
  const change: SlapdPeer['change'] = async work => {
    await using client = new Client({ url: `ldap://127.0.0.1:${port}`, timeout: 20_000 });
    await client.bind(account.dn, account.password);
    return await work(client);
  };
  return {
    port,
    tlsPort,
    ca: ca.cert,
    pid: child.pid,
    stop: signal => child.kill(signal),
    change,
    without: (dn, type, value) =>
      change(client =>
        client.modify(dn, new Change({ operation: 'delete', modification: new Attribute({ type, values: [value] }) })),
      ),
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
