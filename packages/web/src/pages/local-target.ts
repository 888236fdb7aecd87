/** Where to go after signing in: only ever a page of our own, whatever an address was made to say. */
export function localTarget(to: string | null): string {
  return to !== null && /^\/(?![/\\])[^\\\u0000-\u001f]*$/.test(to) && !to.startsWith('/sign-in') ? to : '/';
}
