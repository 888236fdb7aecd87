/** Where to go after signing in, and for that: only ever pages of our own, whatever an address was made to say. */

/** A page's address below `/ui`; home for anything else. */
export function localTarget(to: string | null): string {
  return to !== null && /^\/(?![/\\])[^\\\u0000-\u001f]*$/.test(to) && !to.startsWith('/sign-in') ? to : '/';
}

/** Where a provider elsewhere is begun with, so that it leads back to the page; undefined for one that takes a password here. */
export function redirectOf(redirectUrl: unknown, to: string | null): string | undefined {
  if (typeof redirectUrl !== 'string' || !URL.canParse(redirectUrl)) return undefined;
  const { pathname } = new URL(redirectUrl);
  const page = localTarget(to);
  // A command line that waits has a page of the server's own, not below `/ui`.
  const returnTo = page.startsWith('/dashboard/') ? page : `/ui${page}`;
  return `${pathname}?returnTo=${encodeURIComponent(returnTo)}`;
}
