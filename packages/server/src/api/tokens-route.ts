/** `/v3/tokens`: as any type of v3, but that whose token has ended can still sign out with it, and clear his cookies. */
import { unauthorized } from '@drover/base';
import { guardCsrf, logout } from '../auth/index.ts';
import type { Route } from '../http/exchange.ts';
import type { ApiDeps } from './behaviour.ts';

/** Takes the path; every request with a token that is good goes on to the route given. */
export function tokensRoute({ resources, caches, settings, auth }: ApiDeps, rest: Route): Route {
  return {
    ...rest,
    prefix: '/v3/tokens',
    signIn: 'optional',
    async handle(exchange, caller) {
      if (caller) return rest.handle(exchange, caller);
      const { request, response, query, path } = exchange;
      const wanted = request.method === 'POST' && query.get('action') === 'logout' && /^\/v3\/tokens\/?$/.test(path);
      if (!wanted) throw unauthorized();
      guardCsrf(request, response, { method: 'POST', query });
      await logout({ resources, caches, settings, authenticator: auth.authenticator }, exchange);
    },
  };
}
