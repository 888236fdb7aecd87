/**
 * One connection to what is measured, one request after another, bodies counted and let go. It is the one that the proxy itself asks
 * over: what asks must take less than what answers, and undici's requests take 135 µs of the processor on a machine where a whole
 * request to the server takes 180.
 */
import { once } from 'node:events';
import { connect } from 'node:tls';
import { type Asker, ForwardConnection } from '@drover/kube';
import type { Way } from './load.ts';

export interface Line extends AsyncDisposable {
  /** Asks for it; the bytes of the answer's body. Throws for any status but 200, and when the connection ends. */
  ask(path: string): Promise<number>;
}

export async function openLine({ origin, path: prefix, headers, tls, asks }: Way): Promise<Line> {
  const { protocol, host, hostname, port } = new URL(origin);
  if (protocol !== 'https:') throw new Error(`${origin}: what is measured speaks TLS`);
  const name = hostname.replace(/^\[|\]$/g, '');
  const socket = connect({ ...tls, host: name, port: Number(port || 443), ALPNProtocols: ['http/1.1'] });
  await once(socket, 'secureConnect');
  socket.setNoDelay(true);
  const connection = new ForwardConnection(socket, { onIdle: () => undefined, onGone: () => undefined });
  const raw = Object.entries(headers).flat();
  return {
    ask: path =>
      new Promise((resolve, reject) => {
        if (!connection.usable) throw new Error('the connection ended');
        const question = { method: 'GET', path: prefix + (asks ?? path), headers: raw, host, body: undefined };
        connection.ask(question, counting(connection, resolve, reject));
      }),
    [Symbol.asyncDispose]: async () => connection.destroy(),
  };
}

function counting(
  connection: ForwardConnection,
  resolve: (bytes: number) => void,
  reject: (error: Error) => void,
): Asker {
  let bytes = 0;
  // At once, for what came may hold the answer's end too.
  const refuse = (why: string) => {
    reject(new Error(why));
    connection.destroy();
  };
  return {
    onHead(status, text, raw) {
      if (status !== 200) refuse(`answered HTTP/1.1 ${status} ${text}`);
      // It would end with the connection, which the next request needs.
      else if (!raw.some(name => /^(content-length|transfer-encoding)$/i.test(name))) refuse('no length');
    },
    onData: chunk => void (bytes += chunk.length),
    onEnd: last => resolve(bytes + (last?.length ?? 0)),
    onError: reject,
  };
}
