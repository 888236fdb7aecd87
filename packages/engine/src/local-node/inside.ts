/**
 * Listening in another network namespace while living in this one: a socket stays in the namespace in which it was made, so a short-lived
 * child makes it there and hands it over. Whoever is inside reaches us by it, and nobody who is not.
 */
import { spawn } from 'node:child_process';
import { connect, type Server, type Socket } from 'node:net';
import { internal, splice } from '@drover/base';

// Its own words, so that it runs the same from sources and from one bundled file.
const program = `
const server = require('node:net').createServer();
server.on('error', error => process.send({ error: error.message }));
server.listen(Number(process.argv[2]), process.argv[1], () => process.send({ port: server.address().port }, server));
process.on('disconnect', () => process.exit());
`;

export interface Inside extends Disposable {
  readonly port: number;
}

/** Takes connections to `host:port` (0: any port) in the network namespace of a process, until disposed. */
export async function listenInside(
  pid: number,
  { host, port }: { readonly host: string; readonly port: number },
  onConnection: (socket: Socket) => void,
): Promise<Inside> {
  const args = ['--target', String(pid), '--net', process.execPath, '--eval', program, host, String(port)];
  const child = spawn('nsenter', args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'json' });
  const { server, at } = await new Promise<{ server: Server; at: number }>((resolve, reject) => {
    const failed = (why: string) => reject(internal(`can't listen on ${host}:${port} of the node: ${why}`));
    child.once('error', error => failed(error.message));
    child.once('exit', code => failed(`exit code ${code}`));
    child.once('message', (message: { error?: string; port?: number }, handle) => {
      if (message.error === undefined) resolve({ server: handle as Server, at: message.port! });
      else failed(message.error);
    });
  }).finally(() => {
    if (child.connected) child.disconnect();
  });
  const open = new Set<Socket>();
  server.on('connection', socket => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => {});
    onConnection(socket);
  });
  return {
    port: at,
    [Symbol.dispose]() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** Passes connections on to a port of this machine's loopback. */
export function passOnTo(port: number): (socket: Socket) => void {
  return socket => {
    socket.setNoDelay(true);
    const onward = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
    onward.on('error', () => {});
    void splice(socket, onward);
  };
}
