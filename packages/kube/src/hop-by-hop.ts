/**
 * Headers that are about one connection only and must not be passed on (RFC 9110 §7.6.1), those that Connection names
 * included. Works on raw name, value, name, value… arrays, so that case, order and repeats stay as they came.
 */

const hopByHop = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Whether a header of this lower-case name is about one connection only. */
export const isHopByHop = (name: string): boolean => hopByHop.has(name);

/** The headers that may be passed on, without those that `drop` (given lower-case names) takes. */
export function endToEndHeaders(raw: readonly string[], drop: (name: string) => boolean): string[] {
  const named = namedByConnection(raw);
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (!hopByHop.has(name) && !drop(name) && !named?.has(name)) kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}

/** What Connection names beyond the ordinary, in lower case; undefined in the ordinary case. */
function namedByConnection(raw: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length !== 10 || raw[i]!.toLowerCase() !== 'connection') continue;
    const value = raw[i + 1]!.toLowerCase();
    if (value === 'keep-alive' || value === 'close' || value === 'upgrade') continue;
    named ??= new Set();
    for (const token of value.split(',')) named.add(token.trim());
  }
  return named;
}
