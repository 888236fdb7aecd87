/**
 * doctor: checks the way from here to the server, step by step, and what the server knows of its clusters. Each finding
 * says what was seen and, where it is wrong, what to do.
 */

import type { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { type Condition, messageOf } from '@drover/base';
import { Client, type V3Resource } from '../client.ts';
import { chooseServer, readConfig, type SavedServer } from '../config.ts';
import { type GlobalFlags, traceOf } from '../context.ts';
import { say } from '../messages.ts';
import { explainNetwork } from '../network-errors.ts';
import { age, parseFormat, printData } from '../output.ts';
import { fingerprintOf, seeChain } from '../trust.ts';

export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly seen: string;
  readonly todo?: string;
}

type Check = (server: SavedServer, flags: GlobalFlags) => Promise<Finding[]>;

/** Runs every check and prints the findings; answers whether all are well. */
export async function doctor(flags: GlobalFlags): Promise<boolean> {
  const { server } = chooseServer(await readConfig(), flags.server);
  const format = parseFormat(flags.output);
  const findings: Finding[] = [];
  for (const [name, check] of checks) {
    const found = await check(server, flags).catch(error => [{ check: name, ok: false, seen: messageOf(error) }]);
    findings.push(...found);
    if (format === 'table') for (const finding of found) process.stdout.write(line(finding));
  }
  const bad = findings.filter(finding => !finding.ok).length;
  if (format === 'table') process.stderr.write(`${bad === 0 ? say('doctorOk') : say('doctorBad', { count: bad })}\n`);
  else await printData(findings, format);
  return bad === 0;
}

function line({ check, ok, seen, todo }: Finding): string {
  return `${ok ? '✓' : '✗'} ${check}: ${seen}\n${todo && !ok ? `    → ${todo}\n` : ''}`;
}

const proxyNames = ['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'];

const checks: readonly (readonly [string, Check])[] = [
  ['DNS', checkDns],
  ['TCP', checkTcp],
  ['Proxy', async () => [checkProxy()]],
  ['TLS', checkTls],
  ['HTTP', checkPing],
  ['WebSocket', checkUpgrade],
  ['Sign-in', checkToken],
  ['Clusters', checkClusters],
];

const hostOf = (server: SavedServer) => new URL(server.url).hostname.replace(/^\[|\]$/g, '');

async function checkDns(server: SavedServer): Promise<Finding[]> {
  const host = hostOf(server);
  try {
    const addresses = await lookup(host, { all: true });
    return [{ check: 'DNS', ok: true, seen: `${host} is ${addresses.map(({ address }) => address).join(', ')}` }];
  } catch (error) {
    return [
      {
        check: 'DNS',
        ok: false,
        seen: explainNetwork(server.url, error),
        todo: 'check the name and this machine’s resolver',
      },
    ];
  }
}

function checkTcp(server: SavedServer): Promise<Finding[]> {
  const port = Number(new URL(server.url).port || 443);
  const started = performance.now();
  return new Promise(resolve => {
    const socket = connect({ host: hostOf(server), port, timeout: 5000 });
    const end = (finding: Omit<Finding, 'check'>) => {
      socket.destroy();
      resolve([{ check: 'TCP', ...finding }]);
    };
    socket.on('connect', () =>
      end({ ok: true, seen: `port ${port} answers in ${Math.round(performance.now() - started)} ms` }),
    );
    socket.on('timeout', () =>
      end({ ok: false, seen: `port ${port} does not answer within 5 s`, todo: 'look for a firewall on the way' }),
    );
    socket.on('error', error =>
      end({ ok: false, seen: explainNetwork(server.url, error), todo: 'is the server running there?' }),
    );
  });
}

function checkProxy(): Finding {
  const set = proxyNames.filter(name => process.env[name]);
  const seen = set.length === 0 ? 'none set' : set.join(', ');
  return { check: 'Proxy', ok: true, seen };
}

async function checkTls(server: SavedServer): Promise<Finding[]> {
  const { certificates, trusted, problem } = await seeChain(server.url, 5000);
  const findings = certificates.map((certificate, i) => describeCertificate(certificate, i));
  const pinned = server.ca;
  if (!pinned)
    return [
      ...findings,
      {
        check: 'TLS trust',
        ok: trusted,
        seen: trusted ? 'by this system’s roots' : (problem ?? 'not trusted'),
        todo: `drover login ${server.url}`,
      },
    ];
  const { X509Certificate: Certificate } = await import('node:crypto');
  const fingerprint = fingerprintOf(new Certificate(pinned));
  const found =
    certificates.some(certificate => fingerprintOf(certificate) === fingerprint) ||
    issuedBy(certificates, new Certificate(pinned));
  const seen = found ? `by the CA you trusted (${fingerprint.slice(0, 16)}…)` : 'another CA than the one you trusted';
  return [
    ...findings,
    {
      check: 'TLS trust',
      ok: found,
      seen,
      todo: `if the server was made anew: drover login ${server.url}; if not, somebody is in between`,
    },
  ];
}

function issuedBy(chain: readonly X509Certificate[], ca: X509Certificate): boolean {
  const last = chain.at(-1);
  return (last?.checkIssued(ca) && last.verify(ca.publicKey)) ?? false;
}

function describeCertificate(certificate: X509Certificate, index: number): Finding {
  const days = Math.floor((certificate.validToDate.getTime() - Date.now()) / 86_400_000);
  const names = certificate.subjectAltName?.replaceAll('DNS:', '').replaceAll('IP Address:', '');
  const seen = `${certificate.subject.replaceAll('\n', ', ')}${names ? ` for ${names}` : ''}; ${days < 0 ? 'expired' : `${days} days left`}`;
  return { check: index === 0 ? 'TLS certificate' : 'TLS issuer', ok: days >= 0, seen, todo: 'renew it on the server' };
}

/** Also compares the clocks: tokens and certificates are judged by both. */
async function checkPing(server: SavedServer): Promise<Finding[]> {
  const { status, headers, body, ms } = await rawRequest(server, '/ping', {});
  const findings: Finding[] = [
    {
      check: 'HTTP',
      ok: status === 200 && body === 'pong',
      seen: `/ping answers ${status} in ${ms} ms`,
      todo: 'is it a Drover server, and not a load balancer’s page?',
    },
  ];
  const date = Date.parse(String(headers['date'] ?? ''));
  if (!Number.isNaN(date)) {
    const skew = Math.round((date - Date.now()) / 1000);
    findings.push({
      check: 'Clock',
      ok: Math.abs(skew) < 60,
      seen:
        Math.abs(skew) < 2
          ? 'same as the server’s'
          : `${Math.abs(skew)} s ${skew > 0 ? 'behind' : 'ahead of'} the server’s`,
      todo: 'set the clock (NTP) on both',
    });
  }
  return findings;
}

/** Asks for an upgrade without credentials: 401 proves that the way lets WebSockets through to the server. */
async function checkUpgrade(server: SavedServer): Promise<Finding[]> {
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64');
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
  };
  const { status } = await rawRequest(server, '/v3/connect', headers);
  const ok = status === 401;
  return [
    {
      check: 'WebSocket',
      ok,
      seen: ok ? 'upgrades reach the server' : `the upgrade was answered with ${status}`,
      todo: 'let the load balancer pass WebSocket upgrades (Upgrade and Connection headers), idle time-out over 60 s',
    },
  ];
}

async function checkToken(server: SavedServer, flags: GlobalFlags): Promise<Finding[]> {
  if (!server.token)
    return [{ check: 'Sign-in', ok: false, seen: 'not signed in', todo: `drover login ${server.url}` }];
  await using client = new Client(server, { timeoutMs: 10_000, trace: traceOf(flags) });
  const current = (await client.list('tokens')).find(token => token.id === server.token!.split(':')[0]);
  const version = await client.get('/v3/settings/server-version');
  const until = (current?.['expiresAt'] as string) || 'never expires';
  return [
    {
      check: 'Sign-in',
      ok: true,
      seen: `${server.username ?? 'token'} accepted, ${until === 'never expires' ? until : `until ${until}`}`,
    },
    { check: 'Server', ok: true, seen: `version ${String(version['value'])}` },
  ];
}

async function checkClusters(server: SavedServer, flags: GlobalFlags): Promise<Finding[]> {
  if (!server.token) return [];
  await using client = new Client(server, { timeoutMs: 10_000, trace: traceOf(flags) });
  const all = await client.list('clusters');
  const wanted = flags.cluster;
  return all.filter(cluster => !wanted || cluster.id === wanted || cluster.name === wanted).map(describe);
}

function describe(cluster: V3Resource): Finding {
  const conditions = (cluster['conditions'] ?? []) as Condition[];
  const wrong = conditions.filter(
    condition => condition.status !== 'True' && ['Connected', 'Ready', 'Provisioned'].includes(condition.type),
  );
  const causes = wrong.map(
    condition =>
      `${condition.type} since ${age(condition.lastTransitionTime) ?? '?'}: ${condition.message || condition.reason || condition.status}`,
  );
  const ok = cluster.state === 'active';
  return {
    check: `Cluster ${cluster.name ?? cluster.id}`,
    ok,
    seen: [cluster.state, ...causes].join('; '),
    todo: 'in the cluster: kubectl -n cattle-system logs deploy/cattle-cluster-agent',
  };
}

interface RawAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
  readonly ms: number;
}

function rawRequest(server: SavedServer, path: string, headers: Record<string, string>): Promise<RawAnswer> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const request = httpsRequest(`${server.url}${path}`, {
      headers,
      ...(server.ca ? { ca: server.ca } : {}),
      timeout: 10_000,
      agent: false,
    });
    request.on('response', response => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body = (body + text).slice(0, 1000)));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          ms: Math.round(performance.now() - started),
        }),
      );
    });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 101, headers: response.headers, body: '', ms: 0 });
    });
    request.on('timeout', () => request.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    request.on('error', error => reject(new Error(explainNetwork(server.url, error))));
    request.end();
  });
}
