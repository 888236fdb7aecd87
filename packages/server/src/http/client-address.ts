/**
 * Where a request comes from: the address that connected, or, where that is a proxy we were told to trust, the last one in
 * X-Forwarded-For that is not. What untrusted clients write there counts for nothing: only the right end is a proxy's own.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { invalid } from '@drover/base';

/** The client's address, IPv4 ones always in their own form; empty when the connection has gone already. */
export type AddressOf = (request: IncomingMessage) => string;

/** As no proxy is trusted: who connected is who asks. */
export const connectedAddress: AddressOf = request => plain(request.socket.remoteAddress ?? '');

/** Throws Invalid naming the flag for what is no list of addresses and CIDRs (RFC 4632). */
export function behindProxies(trusted: readonly string[], flag = '--trusted-proxies'): AddressOf {
  if (trusted.length === 0) return connectedAddress;
  const proxies = parseNetworks(trusted, flag);
  const isTrusted = (address: string) => proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return request => {
    let address = connectedAddress(request);
    let rest = String(request.headers['x-forwarded-for'] ?? '');
    while (isIP(address) !== 0 && isTrusted(address) && rest !== '') {
      const cut = rest.lastIndexOf(',');
      const hop = plain(rest.slice(cut + 1).trim());
      // What is no address was not written by a proxy that names its clients: the one before it is as far as we know.
      if (isIP(hop) === 0) break;
      address = hop;
      rest = cut < 0 ? '' : rest.slice(0, cut);
    }
    return address;
  };
}

/** Addresses and CIDRs (RFC 4632) as a list to check against; throws Invalid naming where they were written. */
export function parseNetworks(texts: readonly string[], flag: string): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = '', bits, ...more] = text.trim().split('/');
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (family === 0 || more.length > 0 || prefix < 0 || prefix > most)
      throw invalid(flag, `"${text.trim()}" must be an address or a CIDR, such as 10.0.0.0/8 or fd00::/8`);
    list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Without the brackets, ports and IPv4-in-IPv6 forms that proxies write. */
function plain(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1];
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1];
  const address = bracketed ?? withPort ?? text;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
