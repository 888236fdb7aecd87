/** A tunnel server on loopback for tests: whoever dials in is the client that its X-Key header names. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { silentLog } from '@drover/base';
import { TunnelServer, type TunnelServerOptions } from './server.ts';

export interface TestTunnelServer extends AsyncDisposable {
  readonly tunnel: TunnelServer;
  readonly url: string;
  /** Below each websocket that was accepted. */
  readonly sockets: ReadonlySet<Duplex>;
}

export async function startServer(options: Partial<TunnelServerOptions> = {}): Promise<TestTunnelServer> {
  const tunnel = new TunnelServer({ log: silentLog, ...options });
  const http = createServer();
  const sockets = new Set<Duplex>();
  http.on('upgrade', (request, socket, head) => {
    sockets.add(socket);
    void tunnel.accept(request, socket, head, { clientKey: String(request.headers['x-key']) }).catch(() => undefined);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    tunnel,
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    sockets,
    async [Symbol.asyncDispose]() {
      await tunnel[Symbol.asyncDispose]();
      http.close();
    },
  };
}
