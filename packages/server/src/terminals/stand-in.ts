/**
 * For tests: as much of a kube-apiserver as runs commands in containers takes, in this process. A terminal gives back in capitals what is
 * typed; any other command is run here.
 */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeClient } from '@drover/kube';
import { type WebSocket, WebSocketServer } from 'ws';

export interface StandIn extends AsyncDisposable {
  readonly url: string;
  /** Whom each command was run as. */
  readonly users: readonly string[];
  /** The connections of terminals that are open. */
  readonly terminals: ReadonlySet<WebSocket>;
  client(): KubeClient;
}

export interface StandInOptions {
  /** Answers what is no upgrade; everything is not found without. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => void;
  /** What commands see in their environment. */
  readonly env?: NodeJS.ProcessEnv;
}

export async function startStandIn({ answer, env }: StandInOptions = {}): Promise<StandIn> {
  const users: string[] = [];
  const terminals = new Set<WebSocket>();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v4.channel.k8s.io' });
  const server = createServer(answer ?? ((_, response) => response.writeHead(404).end()));
  server.on('upgrade', (request, raw, head) => {
    users.push(String(request.headers['impersonate-user']));
    const query = new URL(request.url ?? '/', 'http://x').searchParams;
    sockets.handleUpgrade(request, raw, head, socket => {
      if (query.get('tty') === 'true') echo(socket, terminals);
      else run(socket, query.getAll('command'), env);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    users,
    terminals,
    client: () => new KubeClient({ server: url }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

const frame = (channel: number, body: Buffer | string) => Buffer.concat([Buffer.of(channel), Buffer.from(body)]);

function echo(socket: WebSocket, terminals: Set<WebSocket>): void {
  terminals.add(socket);
  socket.once('close', () => terminals.delete(socket));
  socket.on('message', (data: Buffer) => {
    if (data[0] === 0) socket.send(frame(1, data.subarray(1).toString().toUpperCase()));
  });
}

function run(socket: WebSocket, [program = '', ...args]: readonly string[], env = process.env): void {
  const child = spawn(program, args, { env });
  child.stdout.on('data', (bytes: Buffer) => socket.send(frame(1, bytes)));
  child.stderr.on('data', (bytes: Buffer) => socket.send(frame(2, bytes)));
  socket.on('message', (data: Buffer) => data[0] === 0 && child.stdin.write(data.subarray(1)));
  child.stdin.on('error', () => undefined);
  socket.once('close', () => child.stdin.end());
  child.once('close', code => {
    const status = code === 0 ? { status: 'Success' } : { status: 'Failure', message: `exit code ${code}` };
    socket.send(frame(3, JSON.stringify(status)));
    socket.close();
  });
}
