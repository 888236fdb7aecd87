/**
 * Which route a path belongs to: the longest prefix that ends where a segment does. Paths are taken as they came; one
 * that could mean another to somebody further on is refused before it is looked at.
 */
import { badRequest } from '@drover/base';
import type { Route } from './exchange.ts';

/** Splits a request target into path and query; throws BadRequest for what no client of ours sends. */
export function splitTarget(target: string): { path: string; search: string } {
  if (!target.startsWith('/') || target.length > 65_536)
    throw badRequest('the request target must be an absolute path');
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, search: '' } : { path: target.slice(0, mark), search: target.slice(mark) };
}

const controlOrBackslash = /[\u0000-\u0020\u007f\\#]/;
const dotSegment = /(?:^|\/)(?:\.|%2e){1,2}(?=\/|$)/i;
const brokenEscape = /%(?![0-9a-f]{2})/i;

/**
 * Refuses what proxies and servers read differently: dot segments however they are written, backslashes, control
 * characters. (Empty segments stay: v3 collapses them, and clusters see them as they are.)
 */
export function requirePlainPath(path: string): void {
  if (controlOrBackslash.test(path)) throw badRequest('the path must not hold control characters, spaces, "\\" or "#"');
  if (dotSegment.test(path)) throw badRequest('the path must not hold "." or ".." segments');
  if (!path.includes('%')) return;
  if (path.includes('%00')) throw badRequest('the path must not hold a NUL');
  if (brokenEscape.test(path)) throw badRequest('the path has a "%" that is no escape');
}

/** Looks routes up by their first segments. A prefix `/` takes what no other does. */
export class RouteTable {
  /** The routes that a path with this first segment may belong to, those with the longest prefixes first. */
  readonly #bySegment = new Map<string, readonly Route[]>();
  readonly #others: readonly Route[];

  constructor(routes: readonly Route[]) {
    const byLength = [...routes].sort(
      (a, b) => b.prefix.length - a.prefix.length || Number(b.takes !== undefined) - Number(a.takes !== undefined),
    );
    const of = (segment: string) => byLength.filter(({ prefix }) => ['', segment].includes(firstSegment(prefix)));
    for (const { prefix } of byLength) this.#bySegment.set(firstSegment(prefix), of(firstSegment(prefix)));
    this.#others = of('');
  }

  find(path: string): Route | undefined {
    const routes = this.#bySegment.get(firstSegment(path)) ?? this.#others;
    return routes.find(route => isBelow(path, route.prefix) && route.takes?.(path) !== false);
  }
}

/** `/v3/clusters` → `v3`; empty for `/`. */
function firstSegment(path: string): string {
  const end = path.indexOf('/', 1);
  return end < 0 ? path.slice(1) : path.slice(1, end);
}

function isBelow(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return prefix.endsWith('/') || path.length === prefix.length || path[prefix.length] === '/';
}
