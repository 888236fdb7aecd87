/**
 * `/v1-second-factor`: each local user's own second factor: seen, begun, confirmed and turned off, each time with his password; and
 * taken off somebody who lost it, by whoever may act on him. `/v1-public/second-factor` tells who has shown his password what he
 * needs beside it, and gives his browser a challenge for a security key.
 */
import type { IncomingMessage } from 'node:http';
import type { User } from '@drover/api';
import { forbidden, invalid, methodNotAllowed, notFound, unauthorized } from '@drover/base';
import { shownName } from '../auth-providers/identity.ts';
import type { AddressOf } from '../http/client-address.ts';
import type { Exchange, Route } from '../http/exchange.ts';
import { noStore, sendJson } from '../http/send-json.ts';
import type { Access } from './access.ts';
import { type AskedAction, actionRoute } from './action-route.ts';
import { beginCodes, confirmCodes, removeCodes } from './codes-by-time.ts';
import type { AuthDeps } from './deps.ts';
import { requireMayActOn } from './escalation.ts';
import { readLoginBody } from './login-body.ts';
import type { LoginLimits } from './login-limits.ts';
import { isCrossSite } from './origin.ts';
import { checkPassword } from './passwords.ts';
import { isLocalHidden } from './provider-on.ts';
import { removeSecondFactor, requireSecondFactor, secondFactorOf } from './second-factor.ts';
import { addKey, beginKey, challengeKey, removeKey, renameKey, requireKey } from './security-keys.ts';
import { findByUsername } from './user-names.ts';

export interface SecondFactorDeps extends AuthDeps {
  readonly access: Access;
  readonly limits: LoginLimits;
  readonly addressOf: AddressOf;
  readonly baseUrl: (request: IncomingMessage) => string;
}

type Body = AskedAction['body'];
type Action = (deps: SecondFactorDeps, asked: AskedAction) => Promise<unknown>;

const actions: Readonly<Record<string, Action>> = {
  async begin(deps, asked) {
    const user = await provePassword(deps, asked);
    const issuer = new URL(deps.settings.get('server-url') || 'https://drover').host;
    return beginCodes(deps.resources, user, `Drover ${issuer}`);
  },
  async confirm(deps, { caller, body }) {
    return { recoveryCodes: await confirmCodes(deps, caller.userId, text(body, 'code')) };
  },
  async disable(deps, asked) {
    const { metadata } = await provePassword(deps, asked);
    await requireFactor(deps, asked);
    await removeCodes(deps.resources, metadata.name);
    return undefined;
  },
  async beginKey(deps, asked) {
    return beginKey(deps, await provePassword(deps, asked), originOf(deps, asked.exchange));
  },
  async addKey(deps, { exchange, caller, body }) {
    const credential = body['credential'];
    if (typeof credential !== 'object' || credential === null)
      throw invalid('credential', 'must be what the browser made of the options of beginKey', 'MissingRequired');
    const origin = originOf(deps, exchange);
    return addKey(deps, caller.userId, { name: keyName(body), credential, origin });
  },
  async renameKey(deps, { caller, body }) {
    await renameKey(deps.resources, caller.userId, { id: text(body, 'id'), name: keyName(body) });
    return undefined;
  },
  async removeKey(deps, asked) {
    const [{ metadata }, id] = [await provePassword(deps, asked), text(asked.body, 'id')];
    await requireKey(deps.resources, metadata.name, id);
    await requireFactor(deps, asked);
    await removeKey(deps.resources, metadata.name, id);
    return undefined;
  },
  /** For what asks for the second factor again while one is signed in. */
  async challenge(deps, { exchange, caller }) {
    return neededFrom(deps, caller.userId, exchange);
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

export function secondFactorRoutes(deps: SecondFactorDeps): Route[] {
  return [
    actionRoute({
      prefix: '/v1-second-factor',
      actions: Object.fromEntries(Object.entries(actions).map(([name, act]) => [name, asked => act(deps, asked)])),
      read: caller => secondFactorOf(deps.resources, caller.userId),
      admit(caller) {
        if (caller.clusterId !== undefined) throw forbidden('this token is for a cluster alone');
      },
    }),
    {
      prefix: '/v1-public/second-factor',
      signIn: 'none',
      errors: 'norman',
      async handle(exchange) {
        const { request, response } = exchange;
        if (request.method !== 'POST') throw methodNotAllowed(request.method ?? '', 'this path');
        if (isCrossSite(request)) throw forbidden('sign-in from a page of another site is not allowed');
        const { username, password } = await readLoginBody(request);
        if (isLocalHidden(deps.caches)) throw notFound('authProvider', 'local');
        const user = findByUsername(deps.caches, username);
        await checkLimited(deps, request, { user, username, password });
        sendJson(response, 200, await neededFrom(deps, user!.metadata.name, exchange), noStore);
      },
    },
  ];
}

/** What of the second factor the user has, with a challenge for his keys where they are for this address. */
async function neededFrom(deps: SecondFactorDeps, userId: string, exchange: Exchange) {
  const { enabled, codes, securityKeys, recoveryCodesLeft } = await secondFactorOf(deps.resources, userId);
  const options = securityKeys.length > 0 ? await challengeKey(deps, userId, originOf(deps, exchange)) : undefined;
  return {
    needed: enabled,
    codes: codes || recoveryCodesLeft > 0,
    phone: codes,
    ...(options ? { securityKey: options } : {}),
  };
}

const originOf = (deps: SecondFactorDeps, { request }: Exchange): string => new URL(deps.baseUrl(request)).origin;

function requireFactor(deps: SecondFactorDeps, { exchange, caller, body }: AskedAction): Promise<void> {
  const otp = body['otp'];
  if (otp !== undefined && (typeof otp !== 'string' || otp.length > 1024))
    throw invalid('otp', 'must be text', 'InvalidFormat');
  const given = { otp, securityKey: body['securityKey'], origin: originOf(deps, exchange) };
  return requireSecondFactor(deps, caller.userId, given);
}

/** Whoever sits down at an unlocked machine is not its owner: each change asks for the password anew, and counts as a sign-in. */
async function provePassword(deps: SecondFactorDeps, { exchange, caller, body }: AskedAction): Promise<User> {
  const user = deps.caches.user.get(caller.userId);
  if (!user?.username) throw invalid('user', 'signs in elsewhere: his second factor is kept there', 'InvalidState');
  const given = { user, username: user.username, password: text(body, 'password') };
  await checkLimited(deps, exchange.request, given, 'the password is wrong');
  return user;
}

async function checkLimited(
  deps: SecondFactorDeps,
  request: IncomingMessage,
  {
    user,
    username,
    password,
  }: { readonly user: User | undefined; readonly username: string; readonly password: string },
  message = 'authentication failed',
): Promise<void> {
  const attempt = deps.limits.attempt(deps.addressOf(request), username);
  const isRight = await checkPassword(deps.resources, user?.metadata.name, password);
  if (!user || !isRight || user.enabled === false) throw unauthorized(message, { code: 'Unauthorized' });
  attempt.succeeded();
}

function text(body: Body, name: string): string {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (typeof value !== 'string' || value === '' || value.length > 1024)
    throw invalid(name, 'is required, as text', 'MissingRequired');
  return value;
}

function keyName(body: Body): string {
  const name = shownName(text(body, 'name'), '').slice(0, 64);
  if (name === '')
    throw invalid('name', 'must say which key it is, such as "blue one on the keyring"', 'InvalidFormat');
  return name;
}
