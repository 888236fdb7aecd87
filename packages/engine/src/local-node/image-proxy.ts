/**
 * The local node's way to registries: it has no route out, so its container runtime asks this machine, as an HTTP proxy that only it
 * has the password of. What listens on this machine's loopback stays out of its reach, under whichever name.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Address, forbidden, Secret, splice } from '@drover/base';
import { dialProxy, dialTcp, proxyFromEnvironment } from '@drover/kube';

export interface ImageProxy extends Disposable {
  /** Takes a connection of a client. */
  take(socket: Duplex): void;
  readonly user: string;
  readonly password: Secret;
}

export type Dial = (address: Address, signal: AbortSignal) => Promise<Duplex>;

const dialMs = 30_000;

/** A proxy without a socket of its own: connections are given to it. */
export function openImageProxy(dial: Dial = dialOut): ImageProxy {
  const user = 'node';
  const password = new Secret(randomBytes(24).toString('base64url'));
  const wanted = Buffer.from(`Basic ${Buffer.from(`${user}:${password.reveal()}`).toString('base64')}`);
  const mayPass = ({ headers }: IncomingMessage) => {
    const given = Buffer.from(headers['proxy-authorization'] ?? '');
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  };
  // Registries are asked over TLS, so there is nothing to do but to connect.
  const server = createServer((_, answer) => void answer.writeHead(400).end());
  server.on('connect', (asked: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {});
    if (!mayPass(asked)) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    dial(addressOf(asked.url ?? ''), AbortSignal.timeout(dialMs)).then(
      onward => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        if (head.length > 0) socket.unshift(head);
        void splice(socket, onward);
      },
      (error: Error) => socket.end(`HTTP/1.1 502 ${error.message.replaceAll(/[^\x20-\x7e]/g, ' ')}\r\n\r\n`),
    );
  });
  return {
    user,
    password,
    take: socket => void server.emit('connection', socket),
    [Symbol.dispose]: () => server.closeAllConnections(),
  };
}

function addressOf(text: string): Address {
  const [, host = '', port = '443'] = /^(.*?)(?::(\d+))?$/.exec(text)!;
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

const own = new BlockList();
own.addSubnet('0.0.0.0', 8, 'ipv4');
own.addSubnet('127.0.0.0', 8, 'ipv4');
own.addSubnet('169.254.0.0', 16, 'ipv4');
own.addAddress('::', 'ipv6');
own.addAddress('::1', 'ipv6');
own.addSubnet('fe80::', 10, 'ipv6');

/** Whether an address is this machine itself, or what only its own link knows: a cloud's metadata, too. */
export function isOwn(address: string): boolean {
  return own.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** By this machine's own proxy where it has one, else straight to what the name means here. */
async function dialOut({ host, port }: Address, signal: AbortSignal): Promise<Duplex> {
  const proxy = proxyFromEnvironment(new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`));
  if (proxy !== undefined) return dialProxy(proxy, { host, port }, signal);
  const { address } = await lookup(host);
  if (isOwn(address)) throw forbidden(`${host} is this machine itself`);
  return dialTcp({ host: address, port }, signal);
}
