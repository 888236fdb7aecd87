/**
 * Which addresses the server may connect to for somebody: those of the Internet, and others only where an admin has said so. Whatever
 * is near the server (loopback, its networks, a cloud's metadata) is not, in whichever form it is written.
 */
import { BlockList, isIP } from 'node:net';

/** Everything in IPv4 that is not the Internet's. */
const special4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];
/** Of IPv6 only this is the Internet's, but for what below stands for something else. */
const global6 = ['2000::', 3] as const;
const special6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

function listOf(subnets: readonly (readonly [string, number])[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const [net, bits] of subnets) list.addSubnet(net, bits, family);
  return list;
}

const not4 = listOf(special4, 'ipv4');
const only6 = listOf([global6], 'ipv6');
const not6 = listOf(special6, 'ipv6');

/** Whether it is an address of the Internet. An IPv4 address within an IPv6 one is none: nothing but a trick has that form here. */
export function isInternet(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !not4.check(address, 'ipv4');
  return family === 6 && !address.includes('%') && only6.check(address, 'ipv6') && !not6.check(address, 'ipv6');
}

/** Whether the server may connect there for somebody; `allowed` are the networks that an admin has opened. */
export function isAddressAllowed(address: string, allowed: BlockList | undefined): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  return isInternet(address) || allowed?.check(address, family === 6 ? 'ipv6' : 'ipv4') === true;
}
