/**
 * `/v1-second-factor`: each local user's own second factor: seen, begun, confirmed and turned off, each time with his password; and
 * taken off somebody who lost it, by whoever may act on him.
 */
import { forbidden, invalid, methodNotAllowed, notFound, unauthorized } from '@drover/base';
import type { AddressOf } from '../http/client-address.ts';
import type { Caller, Exchange, Route } from '../http/exchange.ts';
import type { Access } from './access.ts';
import { guardCsrf } from './csrf.ts';
import type { AuthDeps } from './deps.ts';
import { requireMayActOn } from './escalation.ts';
import { readSmallJson } from './login-body.ts';
import type { LoginLimits } from './login-limits.ts';
import { checkPassword } from './passwords.ts';
import {
  beginSecondFactor,
  confirmSecondFactor,
  removeSecondFactor,
  requireSecondFactor,
  secondFactorOf,
} from './second-factor.ts';

export interface SecondFactorDeps extends AuthDeps {
  readonly access: Access;
  readonly limits: LoginLimits;
  readonly addressOf: AddressOf;
}

type Body = Readonly<Record<string, unknown>>;
type Action = (deps: SecondFactorDeps, asked: Asked) => Promise<unknown>;

interface Asked {
  readonly exchange: Exchange;
  readonly caller: Caller;
  readonly body: Body;
}

const actions: Readonly<Record<string, Action>> = {
  async begin(deps, asked) {
    const user = await provePassword(deps, asked);
    const issuer = new URL(deps.settings.get('server-url') || 'https://drover').host;
    return beginSecondFactor(deps.resources, user, `Drover ${issuer}`);
  },
  async confirm(deps, { caller, body }) {
    return { recoveryCodes: await confirmSecondFactor(deps, caller.userId, text(body, 'code')) };
  },
  async disable(deps, asked) {
    const { metadata } = await provePassword(deps, asked);
    await requireSecondFactor(deps, metadata.name, text(asked.body, 'otp'));
    await removeSecondFactor(deps.resources, metadata.name);
    return undefined;
  },
  async reset(deps, { caller, body }) {
    const userId = text(body, 'userId');
    const may = deps.access.may(caller, 'update', 'user', { name: userId });
    if (!may || !deps.caches.user.get(userId)) throw notFound('user', userId);
    if (userId === caller.userId) throw forbidden('your own is turned off with your password and a code');
    requireMayActOn(deps, caller, userId);
    await removeSecondFactor(deps.resources, userId);
    return undefined;
  },
};

export function secondFactorRoute(deps: SecondFactorDeps): Route {
  return {
    prefix: '/v1-second-factor',
    signIn: 'user',
    errors: 'norman',
    async handle(exchange, caller) {
      const { request, response, query, path } = exchange;
      if (!/^\/v1-second-factor\/?$/.test(path)) throw notFound('path', path.slice(0, 200));
      if (caller!.clusterId !== undefined) throw forbidden('this token is for a cluster alone');
      if (request.method === 'GET') return answer(response, await secondFactorOf(deps.resources, caller!.userId));
      if (request.method !== 'POST') throw methodNotAllowed(request.method ?? '', 'this path');
      guardCsrf(request, response, { method: 'POST', query });
      const name = query.get('action') ?? '';
      const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
      if (!action) throw invalid('action', `must be one of ${Object.keys(actions).join(', ')}`, 'InvalidAction');
      answer(response, await action(deps, { exchange, caller: caller!, body: await readSmallJson(request) }));
    },
  };
}

/** Whoever sits down at an unlocked machine is not its owner: each change asks for the password anew, and counts as a sign-in. */
async function provePassword(deps: SecondFactorDeps, { exchange, caller, body }: Asked) {
  const user = deps.caches.user.get(caller.userId);
  if (!user?.username) throw invalid('user', 'signs in elsewhere: his second factor is kept there', 'InvalidState');
  const password = text(body, 'password');
  const attempt = deps.limits.attempt(deps.addressOf(exchange.request), user.username);
  if (!(await checkPassword(deps.resources, caller.userId, password)))
    throw unauthorized('the password is wrong', { code: 'Unauthorized' });
  attempt.succeeded();
  return user;
}

function text(body: Body, name: string): string {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (typeof value !== 'string' || value === '' || value.length > 1024)
    throw invalid(name, 'is required, as text', 'MissingRequired');
  return value;
}

function answer(response: Exchange['response'], body: unknown): void {
  if (body === undefined) {
    response.writeHead(204).end();
    return;
  }
  const json = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(json) }).end(json);
}
