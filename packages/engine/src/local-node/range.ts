/**
 * Which addresses the local node and its pods have: one /16 that nothing on this machine uses or leads to, the lower half for pods, its
 * last /30 for the link between the machine and the node.
 */

/** `10.199`: the first half of all its addresses. */
export type Prefix = string;

const between = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

// From above: ranges that people give to their own networks begin below. What carriers use inside comes last.
const candidates: readonly Prefix[] = [
  ...between(160, 199).map(second => `10.${second}`),
  ...between(24, 31).map(second => `172.${second}`),
  ...between(96, 111).map(second => `100.${second}`),
].reverse();

export interface Addresses {
  readonly prefix: Prefix;
  readonly podCidr: string;
  /** This machine's end of the link. */
  readonly host: string;
  readonly node: string;
}

export function addressesIn(prefix: Prefix): Addresses {
  return { prefix, podCidr: `${prefix}.0.0/17`, host: `${prefix}.255.253`, node: `${prefix}.255.254` };
}

/** The one that was had before where it is still free, else the first free one; undefined where there is none. */
export function chooseRange(before: Prefix | undefined, inUse: readonly string[]): Prefix | undefined {
  const used = inUse.map(parseCidr).filter(cidr => cidr !== undefined);
  const isFree = (prefix: Prefix) => {
    const own = parseCidr(`${prefix}.0.0/16`)!;
    return !used.some(other => overlap(own, other));
  };
  const known = before !== undefined && candidates.includes(before) ? [before] : [];
  return [...known, ...candidates].find(isFree);
}

interface Cidr {
  readonly first: number;
  readonly last: number;
}

/** Of IPv4; undefined for all else, and for a default route, which leads everywhere and uses nothing. */
function parseCidr(text: string): Cidr | undefined {
  const [, address, length = '32'] = /^(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?$/.exec(text) ?? [];
  const bits = Number(length);
  if (address === undefined || bits === 0 || bits > 32) return undefined;
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - bits);
  const first = value - (value % size);
  return { first, last: first + size - 1 };
}

const overlap = (one: Cidr, other: Cidr): boolean => one.first <= other.last && other.first <= one.last;
