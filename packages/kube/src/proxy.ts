/**
 * Reaching a server through a forward proxy: HTTP CONNECT (RFC 9110 §9.3.6), plain or over TLS, and SOCKS5 (RFC 1928,
 * 1929), the three that kubectl takes in `proxy-url`. The proxy resolves the host name.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Address, invalid, unavailable } from '@drover/base';
import { dialTcp, readExactly } from './tcp.ts';

/** Opens a stream to `address` through the proxy at `proxyUrl`; user and password in the URL sign in there. */
export async function dialProxy(proxyUrl: string, address: Address, signal: AbortSignal): Promise<Duplex> {
  const url = parseProxyUrl(proxyUrl);
  return url.protocol.startsWith('socks5') ? dialSocks(url, address, signal) : dialConnect(url, address, signal);
}

export function parseProxyUrl(proxyUrl: string): URL {
  const url = URL.canParse(proxyUrl) ? new URL(proxyUrl) : undefined;
  if (!url || !/^(https?|socks5h?):$/.test(url.protocol) || url.hostname === '') {
    throw invalid('proxy-url', 'must be http://, https:// or socks5:// with a host and a port');
  }
  return url;
}

/** The proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY say for a URL, as Go's programs read them; never for loopback. */
export function proxyFromEnvironment(url: URL, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const read = (name: string) => env[name] || env[name.toLowerCase()];
  const proxy = read(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!proxy || host === 'localhost' || host === '::1' || /^127\./.test(host)) return undefined;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const exempt = (read('NO_PROXY') ?? '').split(',').some(entry => isExempt(entry.trim().toLowerCase(), host, port));
  if (exempt) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function isExempt(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  const range = /^(.+)\/(\d+)$/.exec(entry);
  if (range) {
    const family = isIPv6(host) ? 'ipv6' : 'ipv4';
    if (isIP(host) === 0 || isIP(range[1]!) !== isIP(host)) return false;
    const list = new BlockList();
    list.addSubnet(range[1]!, Number(range[2]), family);
    return list.check(host, family);
  }
  const [, name, wantedPort] = /^(.*?)(?::(\d+))?$/.exec(isIPv6(entry) ? `${entry}` : entry)!;
  if (isIPv6(entry)) return entry === host;
  if (wantedPort && wantedPort !== port) return false;
  const suffix = name!.replace(/^\*?\./, '');
  if (isIP(host)) return host === name;
  return host.endsWith(`.${suffix}`) || (name === suffix && host === suffix);
}

function dialConnect(url: URL, { host, port }: Address, signal: AbortSignal): Promise<Duplex> {
  const target = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const headers: Record<string, string> = { host: target };
  if (url.username) {
    const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers['proxy-authorization'] = `Basic ${Buffer.from(login).toString('base64')}`;
  }
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const refused = (why: string) => reject(unavailable(`proxy ${url.host} does not connect to ${target}: ${why}`));
    const sent = request({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      headers,
      agent: false,
      signal,
    });
    sent.on('connect', (response, socket, head) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        return refused(`it answered ${response.statusCode}`);
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    sent.on('response', response => {
      response.destroy();
      refused(`it answered ${response.statusCode}`);
    });
    sent.on('error', error => reject(signal.aborted ? signal.reason : error));
    sent.end();
  });
}

const socksRefusals: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'not allowed by its rules',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'TTL expired',
  7: 'command not supported',
  8: 'address type not supported',
};

async function dialSocks(url: URL, address: Address, signal: AbortSignal): Promise<Duplex> {
  const proxyHost = url.hostname.replace(/^\[|\]$/g, '');
  const socket = await dialTcp({ host: proxyHost, port: Number(url.port) || 1080 }, signal);
  const onAbort = () => socket.destroy(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await socksHandshake(socket, url, address);
    return socket;
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function socksHandshake(socket: Duplex, url: URL, { host, port }: Address): Promise<void> {
  const refuse = (why: string) => unavailable(`proxy ${url.host} does not connect to ${host}:${port}: ${why}`);
  const user = Buffer.from(decodeURIComponent(url.username));
  const password = Buffer.from(decodeURIComponent(url.password));
  const login = user.length > 0;
  socket.write(login ? Buffer.from([5, 2, 0, 2]) : Buffer.from([5, 1, 0]));
  const [version, method] = await readExactly(socket, 2);
  if (version !== 5) throw refuse('it does not speak SOCKS5');
  if (method === 2 && login) {
    socket.write(Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]));
    const answer = await readExactly(socket, 2);
    if (answer[1] !== 0) throw refuse('it refuses the user name and password');
  } else if (method !== 0) {
    throw refuse('it wants a sign-in that is not offered');
  }
  socket.write(Buffer.concat([Buffer.from([5, 1, 0]), socksAddress(host), Buffer.from([port >> 8, port & 255])]));
  const head = await readExactly(socket, 4);
  if (head[1] !== 0) throw refuse(socksRefusals[head[1]!] ?? `code ${head[1]}`);
  const boundLength = head[3] === 1 ? 4 : head[3] === 4 ? 16 : (await readExactly(socket, 1))[0]!;
  await readExactly(socket, boundLength + 2);
}

function socksAddress(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from([1, ...host.split('.').map(Number)]);
  const name = Buffer.from(host);
  return Buffer.concat([Buffer.from([3, name.length]), name]);
}
