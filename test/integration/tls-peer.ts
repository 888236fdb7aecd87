/** For tests: a TLS identity for peers on this machine, and an https server with it on a free port. */

import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureCa, issueCert } from '@drover/engine';

export interface TlsPeer extends AsyncDisposable {
  /** PEM of the CA that signed it. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** `https://localhost:PORT`. */
  readonly url: string;
  readonly port: number;
  /** What answers from now on. */
  serve(listener: RequestListener): void;
}

export async function startTlsPeer(): Promise<TlsPeer> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-peer-'));
  const ca = await ensureCa(dir, 'ca', 'peer');
  const names = { commonName: 'localhost', dnsNames: ['localhost'], ips: ['127.0.0.1'] };
  const pair = await issueCert(ca, { ...names, usages: ['server'] });
  await rm(dir, { recursive: true, force: true });
  const key = pair.key.reveal();
  let listener: RequestListener = (_, response) => void response.writeHead(503).end();
  const server: Server = createServer({ cert: pair.cert, key }, (request, response) => listener(request, response));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ca: ca.cert,
    cert: pair.cert,
    key,
    url: `https://localhost:${port}`,
    port,
    serve(next) {
      listener = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
