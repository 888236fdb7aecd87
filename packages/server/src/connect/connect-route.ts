/**
 * `/v3/connect` and `/v3/connect/register`: where agents dial in. The registration token alone says which cluster it is;
 * nothing else that an agent sends can make it another one. Refusals are plain text, as agents print them.
 */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Cluster } from '@drover/api';
import { badRequest, type Log, messageOf, StatusError, Tally, tooManyRequests, unauthorized } from '@drover/base';
import type { TunnelServer } from '@drover/tunnel';
import { noteForAudit } from '../audit/notes.ts';
import { Buckets } from '../auth/rate-limit.ts';
import { hostKey, nodeKey } from '../clusters/node-tunnels.ts';
import { findByToken } from '../clusters/registration-token.ts';
import type { AddressOf } from '../http/client-address.ts';
import type { Route, Upgrade } from '../http/exchange.ts';
import type { Caches, Resources } from '../resources/index.ts';
import type { AdmittedHost, HostAdmission } from './host-admission.ts';
import { type AgentParams, parseParams } from './params.ts';
import { registerAgent } from './registration.ts';

export interface ConnectDeps {
  readonly resources: Resources;
  readonly caches: Pick<Caches, 'cluster' | 'secret'>;
  readonly tunnels: Pick<TunnelServer, 'accept'>;
  /** Takes in an agent that hands its cluster's credentials over, once its tunnel is up. */
  readonly adoptForeign: (
    cluster: Cluster,
    params: Extract<AgentParams, { readonly kind: 'rancher' }>,
  ) => Promise<void>;
  /** Serves another server's tunnel when the request is one's; answers whether it was. */
  readonly acceptPeer?: (upgrade: Upgrade) => Promise<boolean>;
  /** Takes in hosts of clusters that this server makes; absent where it makes none. */
  readonly hosts?: Pick<HostAdmission, 'admit'>;
  /** Where whoever asks reached us. */
  readonly baseUrl: (request: Upgrade['request']) => string;
  readonly addressOf: AddressOf;
  readonly log: Log;
  readonly now?: () => number;
}

/** One agent holds a few; replicas of it a few more. */
const perCluster = 32;
/** Kubernetes itself is made for no more nodes than this. */
const nodesPerCluster = 5000;
const steveBearer = /^Bearer\s+stv-cluster-(\S+)$/i;

export function connectRoute(deps: ConnectDeps): Route {
  const wrong = new Buckets({ burst: 60, perSecond: 1, maxKeys: 20_000 });
  const open = new Tally<string>();
  return {
    prefix: '/v3/connect',
    signIn: 'none',
    errors: 'norman',
    async handle() {
      throw badRequest('this is where agents connect: it takes WebSocket upgrades only');
    },
    async upgrade(upgrade) {
      if (await deps.acceptPeer?.(upgrade)) return;
      let serve: () => Promise<void>;
      try {
        serve = await admit(deps, upgrade, { wrong, open });
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        deps.log.info({ remote: deps.addressOf(upgrade.request), reason: messageOf(error) }, 'an agent was refused');
        refuse(upgrade.socket, error);
        return;
      }
      await serve();
    },
  };
}

interface Counts {
  readonly wrong: Buckets;
  readonly open: Tally<string>;
}

/** Decides who it is; gives what serves the tunnel until its end. */
async function admit(deps: ConnectDeps, upgrade: Upgrade, counts: Counts): Promise<() => Promise<void>> {
  const { headers } = upgrade.request;
  if (isHost(single(headers['x-api-tunnel-params']))) return admitHost(deps, upgrade, counts);
  const steve = steveBearer.exec(headers.authorization ?? '')?.[1];
  const token = single(headers['x-api-tunnel-token']) ?? steve;
  if (!token) throw unauthorized('failed authentication');
  const found = findByToken(deps.caches, token, (deps.now ?? Date.now)());
  const cluster = found && deps.caches.cluster.get(found.clusterId);
  if (!cluster) {
    const waitSeconds = counts.wrong.take(deps.addressOf(upgrade.request));
    if (waitSeconds > 0) throw tooManyRequests('too many attempts with wrong tokens', waitSeconds);
    throw badRequest('cluster not found');
  }
  const clusterId = cluster.metadata.name;
  noteForAudit(upgrade.request, { clusterId });
  // A second tunnel of foreign agents for an API of their own: taken, so that they settle, and used for nothing.
  if (steve !== undefined && steve === token)
    return serving(deps, upgrade, { counts, clientKey: `stv-cluster-${clusterId}` });
  const params = parseParams(single(headers['x-api-tunnel-params']));
  if (params.kind === 'host') throw badRequest('registration info is of a host');
  if (params.kind === 'drover') {
    await registerAgent(deps.resources, cluster, params);
    if (params.node === undefined) return serving(deps, upgrade, { counts, clientKey: clusterId });
    const clientKey = nodeKey(clusterId, params.node);
    return serving(deps, upgrade, { counts, clientKey, together: { key: `${clusterId}:`, most: nodesPerCluster } });
  }
  return serving(deps, upgrade, {
    counts,
    clientKey: clusterId,
    foreign: true,
    opened: () => deps.adoptForeign(cluster, params),
  });
}

/** Cheap, before anything is parsed that may cost: what it says is checked where it is taken apart. */
const isHost = (params: string | undefined): boolean =>
  params !== undefined && Buffer.from(params.slice(0, 64 * 1024), 'base64').includes('"host":{');

/** A host proves by its key that it is the one that registered; only the first time by a token. */
async function admitHost(deps: ConnectDeps, upgrade: Upgrade, counts: Counts): Promise<() => Promise<void>> {
  const { headers } = upgrade.request;
  const params = parseParams(single(headers['x-api-tunnel-params']));
  if (!deps.hosts || params.kind !== 'host') throw badRequest('missing node or cluster registration info');
  const token = single(headers['x-api-tunnel-token']);
  let admitted: AdmittedHost;
  try {
    const serverUrl = deps.baseUrl(upgrade.request);
    admitted = await deps.hosts.admit(params, { token, serverUrl, now: (deps.now ?? Date.now)() });
  } catch (error) {
    const waitSeconds = counts.wrong.take(deps.addressOf(upgrade.request));
    if (waitSeconds > 0) throw tooManyRequests('too many hosts were refused', waitSeconds);
    throw error;
  }
  const { clusterId, nodeName } = admitted;
  noteForAudit(upgrade.request, { clusterId });
  const clientKey = hostKey(clusterId, nodeName);
  return serving(deps, upgrade, { counts, clientKey, together: { key: `${clusterId}:`, most: nodesPerCluster } });
}

interface Serving {
  readonly counts: Counts;
  readonly clientKey: string;
  readonly foreign?: boolean;
  readonly opened?: () => Promise<void>;
  /** Counted with others as well. */
  readonly together?: { readonly key: string; readonly most: number };
}

function serving(deps: ConnectDeps, upgrade: Upgrade, how: Serving): () => Promise<void> {
  const { counts, clientKey, foreign = clientKey.startsWith('stv-'), opened, together } = how;
  const bounds = [{ key: clientKey, most: perCluster }, ...(together ? [together] : [])];
  for (const { key, most } of bounds) {
    const count = counts.open.of(key);
    if (count >= most) throw tooManyRequests(`cluster "${key}" has ${count} tunnels open already`, 30);
  }
  const { request, socket, head } = upgrade;
  return async () => {
    for (const { key } of bounds) counts.open.add(key);
    try {
      const agent = foreign ? 'rancher' : 'drover';
      const remote = deps.addressOf(request);
      const accepted = deps.tunnels.accept(request, socket, head, { clientKey, agent, remote });
      opened?.().catch((error: unknown) => {
        deps.log.warn({ cluster: clientKey, reason: messageOf(error) }, 'an agent’s cluster could not be taken in');
      });
      await accepted;
    } finally {
      for (const { key } of bounds) counts.open.remove(key);
    }
  };
}

function refuse(socket: Duplex, error: StatusError): void {
  const body = Buffer.from(error.message);
  const retry = error.details.retryAfterSeconds;
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${body.length}\r\n${retry === undefined ? '' : `Retry-After: ${retry}\r\n`}` +
      `Connection: close\r\n\r\n${body.toString('utf8')}`,
  );
}

function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
