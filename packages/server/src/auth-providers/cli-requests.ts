/**
 * Command lines that wait for somebody to sign in for them. A request stands in the store for fifteen minutes, so that any
 * replica may answer; nobody gets a token by it before its owner has compared and allowed it.
 */
import { randomBytes, randomInt } from 'node:crypto';
import type { TypedResource } from '@drover/api';
import {
  forbidden,
  ignoreNotFound,
  invalid,
  isAlreadyExists,
  isDnsSubdomain,
  notFound,
  tooManyRequests,
} from '@drover/base';
import type { Access } from '../auth/access.ts';
import { type AuthDeps, nowOf } from '../auth/deps.ts';
import { subjectsOfUser } from '../auth/escalation.ts';
import { issueToken } from '../auth/tokens.ts';
import type { Caller } from '../http/exchange.ts';
import { controller } from '../resources/index.ts';
import { encryptFor, parseGoKey } from './cli-key.ts';

export type CliRequest = TypedResource<'samlToken'>;

export interface CliAsk {
  /** The program's own id for it; made here where it has none. */
  readonly id?: string;
  readonly publicKey: string;
  readonly responseType: string;
  readonly address?: string;
  readonly host?: string;
}

const namespace = 'cattle-global-data';
export const requestLifeMs = 15 * 60_000;
const mostWaiting = 2000;

export const isRequestId = (id: string): boolean => /^[a-z0-9]{24,64}$/.test(id);

/** What it may be for: `json` for everything, `kubeconfig`, or `kubeconfig_CLUSTER`. Throws Invalid else. */
export function requireResponseType(text: string): void {
  const cluster = /^kubeconfig_(.+)$/.exec(text)?.[1];
  const good = text === 'json' || text === 'kubeconfig' || (cluster !== undefined && isDnsSubdomain(cluster));
  if (!good) throw invalid('responseType', 'must be json, kubeconfig or kubeconfig_CLUSTER', 'InvalidOption');
}

/** Keeps it; throws Invalid for what can't be one, TooManyRequests where too many wait. */
export async function addCliRequest(deps: AuthDeps, ask: CliAsk): Promise<CliRequest> {
  parseGoKey(ask.publicKey);
  requireResponseType(ask.responseType);
  if (ask.id !== undefined && !isRequestId(ask.id))
    throw invalid('requestId', 'must be 24 to 64 lower-case letters and digits', 'InvalidFormat');
  let waiting = 0;
  for (const _ of deps.caches.samlToken.all()) waiting++;
  if (waiting >= mostWaiting) throw tooManyRequests('too many command lines wait to be signed in', 60);
  const name = ask.id ?? randomBytes(20).toString('hex');
  const made = {
    metadata: { name, namespace },
    token: '',
    phase: 'waiting',
    publicKey: ask.publicKey,
    responseType: ask.responseType,
    code: newCode(),
    ...(ask.address ? { address: ask.address } : {}),
    ...(ask.host ? { host: ask.host } : {}),
    endsAt: new Date(nowOf(deps) + requestLifeMs).toISOString(),
  };
  try {
    return await deps.resources.create('samlToken', made);
  } catch (error) {
    // One that is there is never changed by who only knows its id.
    if (isAlreadyExists(error)) throw invalid('requestId', 'is in use; make another', 'NotUnique');
    throw error;
  }
}

/** The request, while it stands. */
export async function findCliRequest(deps: AuthDeps, id: string): Promise<CliRequest | undefined> {
  if (!isRequestId(id)) return undefined;
  const found = deps.caches.samlToken.get(id, namespace) ?? (await deps.resources.find('samlToken', id, namespace));
  return found && Date.parse(found.endsAt ?? '') > nowOf(deps) ? found : undefined;
}

/** Gives it a token of the caller's, once. Throws Forbidden where he is no member of the cluster that it is for. */
export async function allowCliRequest(
  deps: AuthDeps & { readonly access: Access },
  caller: Caller,
  request: CliRequest,
): Promise<void> {
  const { name } = request.metadata;
  const session = deps.caches.token.get(caller.tokenId);
  const [, clusterId] = /^kubeconfig_(.+)$/.exec(request.responseType ?? '') ?? [];
  const reachable = clusterId === undefined || deps.caches.cluster.get(clusterId) !== undefined;
  const self = { ...caller, ...subjectsOfUser(deps.caches, caller.userId) };
  if (!reachable || (clusterId !== undefined && !deps.access.mayReach(self, clusterId)))
    throw forbidden('not a member of this cluster', { code: 'PermissionDenied' });
  const key = parseGoKey(request.publicKey ?? '');
  // First taken, then filled: whoever comes second gets nothing, and no token is made for him.
  const taken = await decide(deps, name, 'allowed');
  const kubeconfig = request.responseType !== 'json';
  const { resource, bearer } = await issueToken(deps, {
    userId: caller.userId,
    kind: kubeconfig ? 'kubeconfig' : 'session',
    clusterId,
    authProvider: session?.authProvider,
    userPrincipal: session?.userPrincipal,
    description: request.host ? `Command line on ${request.host}` : 'Command line',
    ...(kubeconfig ? { generateName: `kubeconfig-${caller.userId}${clusterId ? `.${clusterId}` : ''}` } : {}),
  });
  await deps.resources.update('samlToken', { ...taken, token: encryptFor(key, bearer), expiresAt: resource.expiresAt });
}

export async function denyCliRequest(deps: AuthDeps, request: CliRequest): Promise<void> {
  await decide(deps, request.metadata.name, 'denied');
}

async function decide(deps: AuthDeps, name: string, phase: 'allowed' | 'denied'): Promise<CliRequest> {
  const seen = await deps.resources.get('samlToken', name, namespace);
  if (seen.phase !== 'waiting') throw forbidden('this request was answered already');
  return deps.resources.update('samlToken', { ...seen, phase });
}

export async function dropCliRequest(deps: Pick<AuthDeps, 'resources'>, id: string): Promise<void> {
  if (!isRequestId(id)) throw notFound('authToken', id.slice(0, 64));
  await ignoreNotFound(deps.resources.delete('samlToken', { name: id, namespace }));
}

/** Letters that nobody takes for others, or for words. */
const letters = 'BCDFGHJKLMNPQRSTVWXZ';

function newCode(): string {
  const text = Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('');
  return `${text.slice(0, 4)}-${text.slice(4)}`;
}

export const cliRequestPurge = controller({
  name: 'cli-request-purge',
  for: 'samlToken',
  async reconcile(request, { resources }) {
    const leftMs = Date.parse(request.endsAt ?? '') - Date.now();
    if (leftMs > 0) return { after: leftMs + 1000 };
    const { name, uid } = request.metadata;
    await ignoreNotFound(resources.delete('samlToken', { name, namespace, uid }));
    return undefined;
  },
});
