/**
 * doctor's checks of the way to a server: proxy, DNS, TCP, TLS, HTTP, clock, WebSocket upgrades. Each rests on those before
 * it; nothing is sent to a server before its certificate is trusted.
 */
import type { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { messageOf } from '@drover/base';
import type { SavedServer } from '../config.ts';
import { explainCode, explainNetwork } from '../network-errors.ts';
import { seeChain } from '../trust.ts';
import { addressOf, dialTls, proxyName, proxyTo } from '../way.ts';

export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly seen: string;
  readonly todo?: string;
  /** What comes after it would only fail of the same cause. */
  readonly final?: boolean;
}

const timeoutMs = 5000;

export async function checkProxy(server: SavedServer): Promise<Finding[]> {
  const check = 'Proxy';
  const named = process.env['HTTPS_PROXY'] || process.env['https_proxy'];
  const proxy = await proxyTo(server.url);
  if (proxy === undefined) {
    const seen = named ? 'not used for this server (NO_PROXY, or it is this machine)' : 'none set';
    return [{ check, ok: true, seen }];
  }
  const seen = `by ${proxyName(proxy)}, which HTTPS_PROXY names`;
  const todo = `mend HTTPS_PROXY, or add ${addressOf(server.url).host} to NO_PROXY`;
  try {
    const { dialProxy } = await import('@drover/kube');
    const socket = await dialProxy(proxy, addressOf(server.url), AbortSignal.timeout(timeoutMs));
    socket.on('error', () => {}).destroy();
    return [{ check, ok: true, seen }];
  } catch (error) {
    return [{ check, ok: false, seen: `${seen}: ${messageOf(error)}`, todo, final: true }];
  }
}

export async function checkDns(server: SavedServer): Promise<Finding[]> {
  const check = 'DNS';
  const { host } = addressOf(server.url);
  if (await proxyTo(server.url)) return [{ check, ok: true, seen: 'left to the proxy' }];
  try {
    const addresses = await lookup(host, { all: true });
    return [{ check, ok: true, seen: `${host} is ${addresses.map(({ address }) => address).join(', ')}` }];
  } catch (error) {
    const todo = 'check the name and this machine’s resolver';
    return [{ check, ok: false, seen: explainNetwork(server.url, error), todo, final: true }];
  }
}

export async function checkTcp(server: SavedServer): Promise<Finding[]> {
  const check = 'TCP';
  const { host, port } = addressOf(server.url);
  if (await proxyTo(server.url)) return [{ check, ok: true, seen: `port ${port} answers through the proxy` }];
  const started = performance.now();
  return new Promise(resolve => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (finding: Omit<Finding, 'check' | 'final'>) => {
      socket.destroy();
      resolve([{ check, ...finding, final: !finding.ok }]);
    };
    const took = () => Math.round(performance.now() - started);
    socket.on('connect', () => end({ ok: true, seen: `port ${port} answers in ${took()} ms` }));
    socket.on('timeout', () =>
      end({ ok: false, seen: `port ${port} does not answer within 5 s`, todo: 'look for a firewall on the way' }),
    );
    socket.on('error', error =>
      end({ ok: false, seen: explainNetwork(server.url, error), todo: 'is the server running there?' }),
    );
  });
}

/** The chain as it is shown, and whether what we trust vouches for it under this name and now. */
export async function checkTls(server: SavedServer): Promise<Finding[]> {
  const { url, ca } = server;
  const { certificates, trusted, problem = '' } = await seeChain(url, { timeoutMs, ca });
  const findings = certificates.map((certificate, i) => describeCertificate(certificate, i));
  const by = ca ? 'by the CA you trusted' : 'by this system’s roots';
  if (trusted) return [...findings, { check: 'TLS trust', ok: true, seen: by }];
  const dated = findings.some(finding => !finding.ok);
  const named = problem === 'ERR_TLS_CERT_ALTNAME_INVALID';
  const seen =
    named || dated || !ca ? explainCode(url, problem) : `not ${by}, but by another (${problem}): nothing is sent to it`;
  const renew = `drover login ${url}, with the fingerprint that the server prints when it starts`;
  const moved = `if the server was made anew, or a reverse proxy put before it: ${renew}; if not, somebody is in between`;
  const todo = named
    ? `use one of the names above, or start the server with --server-url ${url}`
    : dated
      ? clockTodo()
      : ca
        ? moved
        : renew;
  return [...findings, { check: 'TLS trust', ok: false, seen, todo, final: true }];
}

const clockTodo = () => `it is ${new Date().toISOString()} here: if so, renew the certificate, else set this clock`;

function describeCertificate(certificate: X509Certificate, index: number): Finding {
  const now = Date.now();
  const days = Math.floor((certificate.validToDate.getTime() - now) / 86_400_000);
  const early = certificate.validFromDate.getTime() > now;
  const names = certificate.subjectAltName?.replaceAll('DNS:', '').replaceAll('IP Address:', '');
  const life = early
    ? `valid only from ${certificate.validFromDate.toISOString()} on`
    : days < 0
      ? `expired ${certificate.validToDate.toISOString()}`
      : `${days} days left`;
  return {
    check: index === 0 ? 'TLS certificate' : 'TLS issuer',
    ok: days >= 0 && !early,
    seen: `${certificate.subject.replaceAll('\n', ', ')}${names ? ` for ${names}` : ''}; ${life}`,
    todo: clockTodo(),
  };
}

/** Also compares the clocks: tokens and certificates are judged by both. */
export async function checkPing(server: SavedServer): Promise<Finding[]> {
  const { status, headers, body, ms } = await rawRequest(server, '/ping', {});
  const ok = status === 200 && body === 'pong';
  const by = headers['server'] ? ` by ${String(headers['server']).slice(0, 60)}` : '';
  const gateway = status === 502 || status === 503 || status === 504;
  const todo = gateway
    ? 'a load balancer answers, but reaches no Drover behind it: is the server running, and does the balancer speak https to it?'
    : 'is it a Drover server, and not a load balancer’s page?';
  const seen = `/ping answers ${status}${ok ? '' : by} in ${ms} ms`;
  const answer: Finding = { check: 'HTTP', ok, seen, todo, final: !ok };
  return [answer, ...checkClock(headers['date'])];
}

function checkClock(header: string | string[] | undefined): Finding[] {
  const date = Date.parse(String(header ?? ''));
  if (Number.isNaN(date)) return [];
  const skew = Math.round((date - Date.now()) / 1000);
  const near = Math.abs(skew) < 2;
  const seen = near ? 'same as the server’s' : `${Math.abs(skew)} s ${skew > 0 ? 'behind' : 'ahead of'} the server’s`;
  return [{ check: 'Clock', ok: Math.abs(skew) < 60, seen, todo: 'set the clock (NTP) on both' }];
}

/** Asks for an upgrade without credentials: only a server that gets it as an upgrade answers 401. */
export async function checkUpgrade(server: SavedServer): Promise<Finding[]> {
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64');
  const { status } = await rawRequest(server, '/v3/connect', {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
  });
  const ok = status === 401;
  const seen = ok ? 'upgrades reach the server' : `an upgrade does not reach the server as one: answered ${status}`;
  const todo =
    'let the load balancer pass WebSocket upgrades (HTTP/1.1, Upgrade and Connection headers), idle time-out over 60 s';
  return [{ check: 'WebSocket', ok, seen, todo }];
}

interface RawAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
  readonly ms: number;
}

async function rawRequest(server: SavedServer, path: string, headers: Record<string, string>): Promise<RawAnswer> {
  const started = performance.now();
  const socket = await dialTls(server.url, { ca: server.ca, timeoutMs }).catch(error => {
    throw new Error(explainNetwork(server.url, error));
  });
  return new Promise((resolve, reject) => {
    const createConnection = () => socket;
    const request = httpsRequest(`${server.url}${path}`, { headers, timeout: 10_000, createConnection });
    const answered = (status = 0, headers: NodeJS.Dict<string | string[]> = {}, body = '') => {
      socket.destroy();
      resolve({ status, headers, body, ms: Math.round(performance.now() - started) });
    };
    request.on('response', response => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body = (body + text).slice(0, 1000)));
      response.on('end', () => answered(response.statusCode, response.headers, body));
    });
    request.on('upgrade', response => answered(response.statusCode, response.headers));
    request.on('timeout', () => request.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    request.on('error', error => reject(new Error(explainNetwork(server.url, error))));
    request.end();
  });
}
