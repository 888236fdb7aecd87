/**
 * `/v3/connect/host/…`: what the node command fetches, and files of bundles by their checksum; `/v3/connect/config`: what an agent of a
 * host asks for again and again. The first is nothing secret; the second is given to nobody but the host that proves to be the one.
 */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { badRequest, StatusError } from '@drover/base';
import type { Exchange, Route } from '../http/exchange.ts';
import { noStore, sendJson } from '../http/send-json.ts';
import type { AgentArchives } from '../provisioning/agent-archives.ts';
import { AgentOffers } from '../provisioning/agent-offer.ts';
import type { BundleFiles } from '../provisioning/bundles.ts';
import { bundlePath, caPath, installScript, scriptPath } from '../provisioning/node-command.ts';
import { agentFilesOf } from '../provisioning/node-files.ts';
import type { Caches } from '../resources/index.ts';
import type { HostAdmission } from './host-admission.ts';
import { parseParams } from './params.ts';
import type { ServerIdentity } from './server-identity.ts';

export interface HostRouteDeps {
  readonly hosts: HostAdmission;
  readonly archives: AgentArchives;
  readonly bundles: BundleFiles;
  readonly caches: Pick<Caches, 'cluster' | 'secret' | 'clusterRegistrationToken'>;
  readonly identity: Pick<ServerIdentity, 'vouch'>;
  readonly setting: (name: string) => string;
  readonly baseUrl: (request: Exchange['request']) => string;
}

export function hostRoutes(deps: HostRouteDeps): Route[] {
  const offers = new AgentOffers(deps.identity);
  return [
    {
      prefix: '/v3/connect/host',
      signIn: 'none',
      errors: 'norman',
      async handle(exchange) {
        const { request, path, response } = exchange;
        if (request.method !== 'GET' && request.method !== 'HEAD') throw badRequest('this is for GET alone');
        if (path === scriptPath) return text(exchange, installScript(deps.archives.all()));
        if (path === caPath) return text(exchange, `${deps.setting('cacerts').trim()}\n`);
        if (path.startsWith(`${bundlePath}/`)) return await sendFile(exchange, deps.bundles);
        const sha256 = /^\/v3\/connect\/host\/([0-9a-f]{64})\.tar\.gz$/.exec(path)?.[1];
        for (const archive of sha256 ? deps.archives.all() : []) {
          const layer = archive.layer(sha256!);
          if (!layer) continue;
          response.writeHead(200, { 'content-type': 'application/gzip', 'content-length': layer.bytes });
          if (request.method === 'HEAD') return void response.end();
          // Whoever goes in the middle of it is gone.
          return await pipeline(layer.stream(), response).catch(() => undefined);
        }
        throw new StatusError(404, 'NotFound', 'there is no such part of the agent; get the node command anew');
      },
    },
    {
      prefix: '/v3/connect/config',
      signIn: 'none',
      errors: 'norman',
      async handle({ request, response }) {
        const header = request.headers['x-api-tunnel-params'];
        const params = parseParams(typeof header === 'string' ? header : undefined);
        if (params.kind !== 'host') throw badRequest('this is for the agents of hosts');
        const node = deps.hosts.known(params, Date.now());
        if (!node) throw new StatusError(401, 'Unauthorized', 'this host is no node of any cluster any more');
        const cluster = deps.caches.cluster.get(node.metadata.namespace ?? '');
        if (!cluster) throw new StatusError(404, 'NotFound', 'its cluster is gone');
        const serverUrl = (deps.setting('server-url') || deps.baseUrl(request)).replace(/\/+$/, '');
        const plan = agentFilesOf({ cluster, node, caches: deps.caches, serverUrl });
        if (!plan) throw new StatusError(503, 'ServiceUnavailable', 'there is no plan for this host yet');
        sendJson(response, 200, { ...plan, agent: offers.of(deps.archives.all(), deps.hosts.registered) }, noStore);
      },
    },
  ];
}

/** Whoever broke off goes on where he was. */
async function sendFile({ request, response, path }: Exchange, bundles: BundleFiles): Promise<void> {
  const sha256 = path.slice(bundlePath.length + 1);
  const found = /^[0-9a-f]{64}$/.test(sha256) ? await bundles.find(sha256) : undefined;
  if (!found) throw new StatusError(404, 'NotFound', 'no bundle of this server has such a file');
  const { bytes } = found;
  const from = Number(/^bytes=(\d{1,15})-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from > 0 && from >= bytes) {
    response.writeHead(416, { 'content-range': `bytes */${bytes}`, 'content-length': 0 });
    return void response.end();
  }
  response.writeHead(from > 0 ? 206 : 200, {
    ...{ 'content-type': 'application/octet-stream', 'content-length': bytes - from, 'accept-ranges': 'bytes' },
    ...(from > 0 ? { 'content-range': `bytes ${from}-${bytes - 1}/${bytes}` } : {}),
  });
  if (request.method === 'HEAD') return void response.end();
  // Whoever goes in the middle of it is gone, and what was taken away in the middle of it ends it: its receiver has a checksum.
  await pipeline(createReadStream(found.path, { start: from, end: bytes - 1 }), response).catch(() => undefined);
}

function text({ request, response }: Exchange, body: string): void {
  const bytes = Buffer.from(body);
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
