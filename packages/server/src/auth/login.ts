/**
 * Signing in: from a name and a password to a token, as JSON, as a cookie, or for a kubeconfig. The one thing here that
 * anybody may ask for, so it is limited, small and tells nothing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Token } from '@drover/api';
import { forbidden, isConflict, isDnsSubdomain, notFound, type Secret, StatusError } from '@drover/base';
import { noteForAudit } from '../audit/notes.ts';
import type { AddressOf } from '../http/client-address.ts';
import type { Exchange } from '../http/exchange.ts';
import { sendJson } from '../http/send-json.ts';
import type { Access } from './access.ts';
import { setSessionCookie } from './cookies.ts';
import { type AuthDeps, nowOf } from './deps.ts';
import { subjectsOfUser } from './escalation.ts';
import { type LoginBody, readLoginBody } from './login-body.ts';
import type { LoginLimits } from './login-limits.ts';
import { isCrossSite } from './origin.ts';
import type { SignedIn, SignInProvider } from './provider.ts';
import { issueToken } from './tokens.ts';

export interface LoginDeps extends AuthDeps {
  readonly access: Access;
  readonly limits: LoginLimits;
  readonly addressOf: AddressOf;
}

/** With the provider that was asked: by the path, or by the body's `type` where the path says none. */
export async function login(
  providers: readonly SignInProvider[],
  exchange: Exchange,
  asked?: SignInProvider,
): Promise<void> {
  const { request } = exchange;
  // A page elsewhere must not be able to sign somebody in as somebody else.
  if (isCrossSite(request)) throw forbidden('sign-in from a page of another site is not allowed');
  const body = await readLoginBody(request);
  if (body.username) noteForAudit(request, { loginName: body.username });
  const provider = asked ?? providers.find(({ name, type }) => name === body.type || type === body.type);
  if (!provider?.isOn()) throw notFound('authProvider', 'type');
  await provider.login(exchange, body);
}

export interface PasswordAsk {
  /** Its name. */
  readonly provider: string;
  readonly body: LoginBody;
  /** Says who it is; refuses in the same words whatever was wrong. */
  readonly prove: () => Promise<SignedIn>;
}

/** Signs in whoever proves himself by name and password, within the limits on trying. */
export async function passwordLogin(
  deps: LoginDeps,
  exchange: Exchange,
  { provider, body, prove }: PasswordAsk,
): Promise<void> {
  const attempt = deps.limits.attempt(deps.addressOf(exchange.request), body.username);
  const signedIn = await prove().catch(error => {
    // He knows the password: that it takes two steps must not count as a failure.
    if (error instanceof StatusError && error.details.code === 'SecondFactorRequired') attempt.succeeded();
    // Nobody has looked at the password.
    else if (error instanceof StatusError && error.status === 503) attempt.undo();
    throw error;
  });
  attempt.succeeded();
  await answerLogin(deps, exchange, { provider, signedIn, body });
}

/** The token in the form that the body asks for, for whoever has proved who he is. */
export async function answerLogin(
  deps: LoginDeps,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  asked: LoginAsk,
): Promise<void> {
  const { signedIn, body } = asked;
  const { resource, bearer } = await issueFor(deps, asked);
  noteForAudit(request, { userId: signedIn.user.metadata.name, tokenName: resource.metadata.name });
  await noteLogin(deps, signedIn.user.metadata.name);
  if (body.responseType === 'cookie') {
    setSessionCookie(response, bearer);
    response.writeHead(200, { 'content-length': '0' }).end();
    return;
  }
  sendJson(response, 201, loginAnswer(resource, bearer));
}

export interface LoginAsk {
  /** Its name. */
  readonly provider: string;
  readonly signedIn: SignedIn;
  readonly body: LoginBody;
}

function issueFor(deps: LoginDeps, { provider, signedIn, body }: LoginAsk): ReturnType<typeof issueToken> {
  const userId = signedIn.user.metadata.name;
  const common = { userId, authProvider: provider, userPrincipal: signedIn.principalId };
  const kubeconfig = /^kubeconfig(?:_(.+))?$/.exec(body.responseType);
  if (!kubeconfig) return issueToken(deps, { ...common, kind: 'session', description: body.description });
  const clusterId = kubeconfig[1];
  if (clusterId !== undefined) requireMember(deps, userId, clusterId);
  return issueToken(deps, {
    ...common,
    kind: 'kubeconfig',
    description: body.description ?? 'Kubeconfig token',
    clusterId,
    generateName: clusterId === undefined ? `kubeconfig-${userId}` : `kubeconfig-${userId}.${clusterId}`,
  });
}

/** One answer for clusters that are not there and those that are others': nobody learns which ids exist. */
function requireMember(deps: LoginDeps, userId: string, clusterId: string): void {
  const caller = { ...subjectsOfUser(deps.caches, userId), username: '', tokenId: '', via: 'bearer' as const };
  const reachable = isDnsSubdomain(clusterId) && deps.caches.cluster.get(clusterId) !== undefined;
  if (!reachable || !deps.access.mayReach(caller, clusterId))
    throw forbidden('not a member of this cluster', { code: 'PermissionDenied' });
}

function loginAnswer(token: Token, bearer: Secret): Record<string, unknown> {
  return {
    id: token.metadata.name,
    name: token.metadata.name,
    type: 'token',
    baseType: 'token',
    userId: token.userId,
    userPrincipal: token.userPrincipal,
    authProvider: token.authProvider,
    ttl: token.ttl,
    expiresAt: token.expiresAt,
    isDerived: token.isDerived,
    ...(token.clusterName ? { clusterId: token.clusterName } : {}),
    token: bearer.reveal(),
  };
}

/** When somebody last signed in; read where people are disabled who do not come any more. */
export async function noteLogin(deps: AuthDeps, userId: string): Promise<void> {
  const lastLogin = `${new Date(nowOf(deps)).toISOString().slice(0, 19)}Z`;
  const first = { metadata: { name: userId }, groupPrincipals: {}, lastLogin };
  await deps.resources
    .put('userAttribute', first, seen => ((seen.lastLogin ?? '') >= lastLogin ? undefined : { ...seen, lastLogin }))
    .catch(error => {
      // So many sign in as him at once that another has just noted it.
      if (!isConflict(error)) throw error;
    });
}
