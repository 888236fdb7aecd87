/** The cookies that a sign-in sets and a sign-out clears. */
import type { ServerResponse } from 'node:http';
import type { Secret } from '@drover/base';
import { sessionCookie } from './credentials.ts';
import { csrfCookie } from './csrf.ts';

/** Ends with the browser; the token behind it has an end of its own. */
export function setSessionCookie(response: ServerResponse, bearer: Secret): void {
  const cookie = `${sessionCookie}=${bearer.reveal()}; Path=/; HttpOnly; Secure; SameSite=Lax`;
  response.appendHeader('set-cookie', cookie);
}

export function clearCookies(response: ServerResponse): void {
  const past = 'Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; SameSite=Lax';
  response.appendHeader('set-cookie', `${sessionCookie}=; ${past}; HttpOnly`);
  response.appendHeader('set-cookie', `${csrfCookie}=; ${past}`);
}
