/** The few settings that anybody may read, signed in or not: agents check the CA by one of them, sign-in pages need others. */
import type { IncomingMessage } from 'node:http';
import { unauthorized } from '@drover/base';
import type { Settings } from '../settings.ts';
import type { Route } from './exchange.ts';
import { sendText } from './health.ts';

/** Takes `GET /v3/settings/<public name>`; every other request below it goes on to the route given. */
export function publicSettingsRoute(
  settings: Settings,
  rest: Route,
  baseUrl: (request: IncomingMessage) => string,
): Route {
  return {
    ...rest,
    prefix: '/v3/settings',
    signIn: 'optional',
    async handle(exchange, caller) {
      const { request, response, path } = exchange;
      const name = /^\/v3\/settings\/([a-z0-9-]+)\/?$/.exec(path)?.[1];
      const open = name !== undefined && settings.has(name) && settings.isPublic(name);
      if (open && !caller && (request.method === 'GET' || request.method === 'HEAD')) {
        const { value, source, default: fallback } = settings.show(name);
        const self = `${baseUrl(request)}/v3/settings/${name}`;
        const body = {
          id: name,
          type: 'setting',
          baseType: 'setting',
          name,
          value: value.trim(),
          source,
          default: fallback,
          customized: source !== 'default',
          links: { self },
        };
        return sendText(response, 200, JSON.stringify(body), 'application/json');
      }
      if (!caller) throw unauthorized();
      return rest.handle(exchange, caller);
    },
  };
}
