/** Signing out: the token that the request shows ends, with a good key even if it has ended already. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Token } from '@drover/api';
import { unauthorized } from '@drover/base';
import type { Authenticator } from './authenticate.ts';
import { clearCookies } from './cookies.ts';
import type { AuthDeps } from './deps.ts';
import { kindOf } from './token-life.ts';
import { revokeToken } from './tokens.ts';

/** Answers 200 with an empty body and cleared cookies. `all` ends every session of the user; tokens that he derived stay. */
export async function logout(
  deps: AuthDeps & { readonly authenticator: Authenticator },
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse },
  options: { readonly all?: boolean } = {},
): Promise<void> {
  const { request, response } = exchange;
  const token = await deps.authenticator.shownToken(request);
  if (!token) throw unauthorized();
  await endSessions(deps, token, options);
  clearCookies(response);
  response.writeHead(200, { 'content-length': '0' }).end();
}

/** Ends the token and, with `all`, every session of its user. */
export async function endSessions(
  deps: AuthDeps,
  token: Token,
  options: { readonly all?: boolean } = {},
): Promise<void> {
  if (options.all) {
    const others = [...deps.caches.token.all()].filter(
      each => each.userId === token.userId && kindOf(each) === 'session',
    );
    for (const other of others) await revokeToken(deps, other.metadata.name);
  }
  await revokeToken(deps, token.metadata.name);
}
