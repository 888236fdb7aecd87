/**
 * The webhook that the kube-apiserver beside it asks who a token stands for. Plain HTTP, and therefore on loopback alone. A token
 * that is nobody's is answered 401 with an empty body, as the original does: the kube-apiserver then asks its other ways.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { invalid, type Log, messageOf } from '@drover/base';
import type { Records } from './records.ts';
import { type Verified, verify } from './verify.ts';

const maxBodyBytes = 64 * 1024;

export interface Webhook extends AsyncDisposable {
  readonly port: number;
}

/** Throws Invalid when the address can't be listened on. */
export async function startWebhook(
  records: Records,
  { host, port, log }: { readonly host: string; readonly port: number; readonly log: Log },
): Promise<Webhook> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 120_000 });
  server.maxConnections = 512;
  server.on('request', (request, response) => {
    answer(records, request, response).catch(error => {
      log.warn({ reason: messageOf(error) }, 'a token could not be looked into');
      if (!response.headersSent) response.writeHead(503).end();
      else response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(invalid('--listen', messageOf(error))));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

async function answer(records: Records, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url?.split('?')[0];
  if (path === '/healthcheck' && request.method === 'GET') {
    response.writeHead(records.isSynced ? 200 : 503).end();
    return;
  }
  if (path !== '/v1/authenticate') {
    response.writeHead(404).end();
    return;
  }
  if (request.method !== 'POST') {
    response.writeHead(405, { allow: 'POST' }).end();
    return;
  }
  const asked = parseReview(await readBody(request));
  if (!asked) {
    response.writeHead(400).end();
    return;
  }
  // Not 401: the kube-apiserver would keep that answer for a while.
  if (!records.isSynced) {
    response.writeHead(503).end();
    return;
  }
  const user = await verify(records, asked.token);
  if (!user) {
    response.writeHead(401).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(review(user, asked.apiVersion)));
}

const review = ({ username, groups }: Verified, apiVersion: string) => ({
  apiVersion,
  kind: 'TokenReview',
  status: { authenticated: true, user: { username, groups } },
});

/** Undefined where it is no TokenReview with a token. It is answered in the version that it was asked in. */
function parseReview(body: string | undefined): { readonly token: string; readonly apiVersion: string } | undefined {
  try {
    const given = JSON.parse(body ?? '') as { apiVersion?: unknown; kind?: unknown; spec?: { token?: unknown } } | null;
    const token = given?.kind === 'TokenReview' ? given.spec?.token : undefined;
    if (typeof token !== 'string' || token === '') return undefined;
    return { token, apiVersion: given?.apiVersion === current ? current : 'authentication.k8s.io/v1beta1' };
  } catch {
    return undefined;
  }
}

const current = 'authentication.k8s.io/v1';

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
