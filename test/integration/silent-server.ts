/** A server that takes connections and never says a word: what a half-open one looks like to whoever has begun to wait for it. */
import { createServer, type Server, type Socket } from 'node:net';

export interface SilentServer extends AsyncDisposable {
  readonly port: number;
  /** How many wait for it to say something. */
  readonly connections: number;
}

/** On a free port of loopback. */
export async function startSilent(): Promise<SilentServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer(socket => void sockets.add(socket.on('error', () => {})));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    get connections() {
      return sockets.size;
    },
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
