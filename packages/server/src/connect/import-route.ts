/**
 * `/v3/import/<token>_<cluster>.yaml`: the manifest that makes a cluster dial in. Whoever has the token may read it; the
 * token is in the path since `kubectl apply -f` can show none otherwise, so the path must never be logged as it is.
 */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { tooManyRequests } from '@drover/base';
import { stringify } from 'yaml';
import { noteForAudit } from '../audit/notes.ts';
import { Buckets } from '../auth/rate-limit.ts';
import { findByToken } from '../clusters/registration-token.ts';
import type { AddressOf } from '../http/client-address.ts';
import type { Exchange, Route } from '../http/exchange.ts';
import type { Caches } from '../resources/index.ts';
import { importManifest, resolveImage } from './import-manifest.ts';

export interface ManifestDeps {
  readonly caches: Pick<Caches, 'cluster' | 'secret'>;
  /** Reads a setting; empty where it is not set. */
  readonly setting: (name: string) => string;
  /** The key by which this server proves who it is to agents; absent where it has none. */
  readonly serverKey?: string;
  /** Where the client reached us, for a server that was not told its own address. */
  readonly baseUrl: (request: Exchange['request']) => string;
  readonly addressOf: AddressOf;
  readonly now?: () => number;
}

/** The manifest of a cluster as YAML. */
export function manifestText(
  deps: Pick<ManifestDeps, 'caches' | 'setting' | 'serverKey'>,
  for_: { readonly clusterId: string; readonly token: string; readonly serverUrl: string },
): string {
  const { setting, caches } = deps;
  const cluster = caches.cluster.get(for_.clusterId);
  const cacerts = setting('cacerts').trim();
  const objects = importManifest({
    serverUrl: for_.serverUrl,
    token: for_.token,
    caChecksum: cacerts && createHash('sha256').update(`${cacerts}\n`).digest('hex'),
    agentImage: resolveImage(
      cluster?.spec?.agentImageOverride || setting('agent-image'),
      setting('system-default-registry'),
    ),
    serverKey: deps.serverKey ?? '',
    installUuid: setting('install-uuid'),
    serverVersion: setting('server-version'),
    nodeAgents: cluster?.metadata.annotations?.[nodeAgentsAnnotation] === 'true',
  });
  return objects.map(object => stringify(object, { lineWidth: 0 })).join('---\n');
}

/** Set to `true` on a cluster, its manifest brings agents for the nodes too. */
const nodeAgentsAnnotation = 'drover.io/node-agents';

export function importRoute(deps: ManifestDeps): Route {
  const wrong = new Buckets({ burst: 30, perSecond: 0.5, maxKeys: 10_000 });
  return {
    prefix: '/v3/import',
    signIn: 'none',
    errors: 'norman',
    async handle({ request, response, path }) {
      const asked = parseName(path);
      if (request.method !== 'GET' && request.method !== 'HEAD') return text(response, 405, 'method not allowed');
      if (!asked) return text(response, 404, 'not found');
      const found = findByToken(deps.caches, asked.token, (deps.now ?? Date.now)());
      const cluster = found && deps.caches.cluster.get(found.clusterId);
      if (!cluster || found.clusterId !== asked.clusterId || cluster.metadata.deletionTimestamp) {
        const waitSeconds = wrong.take(deps.addressOf(request));
        if (waitSeconds > 0) throw tooManyRequests('too many attempts with wrong tokens', waitSeconds);
        return text(response, 400, 'cluster not found or invalid token');
      }
      if (!deps.setting('agent-image') && !cluster.spec?.agentImageOverride)
        return text(response, 500, 'the setting agent-image is empty: say there which image the agent runs from');
      noteForAudit(request, { clusterId: found.clusterId });
      const serverUrl = deps.setting('server-url') || deps.baseUrl(request);
      text(response, 200, manifestText(deps, { ...asked, serverUrl: serverUrl.replace(/\/+$/, '') }));
    },
  };
}

function parseName(path: string): { readonly token: string; readonly clusterId: string } | undefined {
  const name = path.slice('/v3/import/'.length);
  const cut = name.indexOf('_');
  if (!name.endsWith('.yaml') || cut < 0 || name.includes('/')) return undefined;
  return { token: name.slice(0, cut), clusterId: name.slice(cut + 1, -'.yaml'.length) };
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(body);
}
