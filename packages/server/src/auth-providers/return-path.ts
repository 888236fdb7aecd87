/** Where a sign-in leads afterwards: a path of this server's own, whatever was asked for. */

const fallback = '/';
const longest = 2048;

/**
 * The path, query and fragment of an address of this server; `/` for any other. An address is read as a browser reads it:
 * backslashes, control characters and missing schemes lead elsewhere more often than they seem to.
 */
export function returnPath(asked: string | undefined | null, baseUrl: string): string {
  if (!asked || asked.length > longest || /[\u0000-\u0020\u007f\\]/.test(asked)) return fallback;
  const base = new URL(baseUrl);
  if (!asked.startsWith('/') && !URL.canParse(asked)) return fallback;
  if (!URL.canParse(asked, base)) return fallback;
  const url = new URL(asked, base);
  if (url.origin !== base.origin || url.username || url.password) return fallback;
  const path = `${url.pathname}${url.search}${url.hash}`;
  // A path of two slashes is another host to whoever reads it by itself.
  return path.startsWith('//') ? fallback : path;
}
