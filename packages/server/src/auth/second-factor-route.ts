/**
 * `/v1-second-factor`: each local user's own second factor: seen, begun, confirmed and turned off, each time with his password; and
 * taken off somebody who lost it, by whoever may act on him.
 */
import { forbidden, invalid, notFound, unauthorized } from '@drover/base';
import type { AddressOf } from '../http/client-address.ts';
import type { Route } from '../http/exchange.ts';
import type { Access } from './access.ts';
import { type AskedAction, actionRoute } from './action-route.ts';
import type { AuthDeps } from './deps.ts';
import { requireMayActOn } from './escalation.ts';
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

type Body = AskedAction['body'];
type Action = (deps: SecondFactorDeps, asked: AskedAction) => Promise<unknown>;

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
  return actionRoute({
    prefix: '/v1-second-factor',
    actions: Object.fromEntries(Object.entries(actions).map(([name, act]) => [name, asked => act(deps, asked)])),
    read: caller => secondFactorOf(deps.resources, caller.userId),
    admit(caller) {
      if (caller.clusterId !== undefined) throw forbidden('this token is for a cluster alone');
    },
  });
}

/** Whoever sits down at an unlocked machine is not its owner: each change asks for the password anew, and counts as a sign-in. */
async function provePassword(deps: SecondFactorDeps, { exchange, caller, body }: AskedAction) {
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
