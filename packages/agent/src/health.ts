/**
 * The agent's own health: whether it lives, whether it is connected, since when. A server that is away does not make the
 * agent unhealthy, since starting it anew would not bring the server back.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { invalid, messageOf } from '@drover/base';

export class AgentState {
  readonly started = Date.now();
  connectedSince: number | undefined;
  lastContact: number | undefined;
  lastError: string | undefined;

  get connected(): boolean {
    return this.connectedSince !== undefined;
  }

  onConnected(): void {
    this.connectedSince = Date.now();
    this.lastError = undefined;
  }

  onDisconnected(error: unknown): void {
    if (this.connected) this.lastContact = Date.now();
    this.connectedSince = undefined;
    this.lastError = messageOf(error);
  }

  toJSON() {
    const time = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
    return {
      connected: this.connected,
      started: time(this.started),
      connectedSince: time(this.connectedSince),
      lastContact: time(this.connected ? Date.now() : this.lastContact),
      lastError: this.lastError,
    };
  }
}

/** `/healthz`: alive. `/readyz`: connected. Both tell the state as JSON. */
export function answerHealth(state: AgentState, request: IncomingMessage, response: ServerResponse): void {
  const path = request.url?.split('?')[0];
  if (path !== '/healthz' && path !== '/readyz') {
    response.writeHead(404).end();
    return;
  }
  const good = path === '/healthz' || state.connected;
  response.writeHead(good ? 200 : 503, { 'Content-Type': 'application/json' });
  response.end(`${JSON.stringify(state)}\n`);
}

/** Serves the probes; throws Invalid when the address can't be listened on. */
export async function startHealth(
  state: AgentState,
  listen: { readonly host: string; readonly port: number },
): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer((request, response) => answerHealth(state, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(invalid('--health', messageOf(error))));
    server.listen(listen.port, listen.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : listen.port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
