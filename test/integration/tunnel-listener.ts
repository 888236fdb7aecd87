/** Our tunnel server behind a plain HTTP listener: /connect takes clients by X-Key, /peer takes peers by X-API-Tunnel-ID. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { silentLog } from '@drover/base';
import { TunnelServer, type TunnelServerOptions } from '@drover/tunnel';

export interface Listener extends AsyncDisposable {
  readonly tunnel: TunnelServer;
  readonly host: string;
  readonly sockets: Set<Duplex>;
}

export async function listenTunnel(options: Partial<TunnelServerOptions> = {}): Promise<Listener> {
  const tunnel = new TunnelServer({ log: silentLog, ...options });
  const sockets = new Set<Duplex>();
  const http = createServer();
  http.on('upgrade', (request, socket, head) => {
    sockets.add(socket);
    const peer = request.headers['x-api-tunnel-id'];
    const served =
      typeof peer === 'string'
        ? tunnel.acceptPeer(request, socket, head, { id: peer })
        : tunnel.accept(request, socket, head, { clientKey: String(request.headers['x-key']) });
    served.catch(() => socket.destroy());
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    tunnel,
    host: `127.0.0.1:${(http.address() as AddressInfo).port}`,
    sockets,
    async [Symbol.asyncDispose]() {
      await tunnel[Symbol.asyncDispose]();
      http.close();
    },
  };
}
