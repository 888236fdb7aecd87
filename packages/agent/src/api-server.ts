/**
 * The kube-apiserver as the server sees it through the tunnel: plain HTTP on each stream, checked, given the agent's own
 * credentials, and forwarded. Token and TLS never leave the cluster.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Log, messageOf, StatusError, toStatus } from '@drover/base';
import {
  authorization,
  type Connection,
  endToEndHeaders,
  type ForwardOptions,
  ForwardTarget,
  forward,
  forwardUpgrade,
} from '@drover/kube';
import { checkIdentity, subjectOfToken } from './identity-gate.ts';

/** Besides what is about the hop: the server's credentials are nothing for the cluster. */
const dropped = new Set(['authorization', 'cookie', 'host']);
const isDropped = (name: string): boolean => dropped.has(name);

export interface ApiServer extends AsyncDisposable {
  /** Serves HTTP on the stream until it ends. */
  serve(stream: Duplex): void;
  readonly running: number;
}

export function createApiServer(connection: Connection, log: Log): ApiServer {
  const target = new ForwardTarget(connection, "the cluster's API server");
  const own: { header?: string; subject?: string } = {};

  async function optionsFor(request: IncomingMessage): Promise<ForwardOptions> {
    const auth = await authorization(connection);
    if (auth && auth.header !== own.header) {
      own.header = auth.header;
      own.subject = auth.token && subjectOfToken(auth.token.reveal());
    }
    checkIdentity(request.rawHeaders, own.subject);
    const headers = endToEndHeaders(request.rawHeaders, isDropped);
    // What Connection named is gone by now: the guard must hold for what is really sent.
    checkIdentity(headers, own.subject);
    if (auth) headers.push('Authorization', auth.header);
    return { path: request.url ?? '/', headers };
  }

  const server = createServer({
    maxHeaderSize: 65_536,
    requestTimeout: 0,
    headersTimeout: 0,
    // The server closes its idle streams itself; a shorter time here would race with its requests.
    keepAliveTimeout: 0,
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    optionsFor(request)
      .then(options => forward(request, response, { target, options }))
      .catch((error: unknown) => answerError(response, error, log));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Errors of the stream end the exchange; without a listener they would end the process.
    socket.on('error', () => {});
    optionsFor(request)
      .then(options => forwardUpgrade({ request, socket, head }, { target, options }))
      .catch((error: unknown) => refuseUpgrade(socket, error, log));
  });
  server.on('clientError', (_, socket: Duplex) => socket.destroy());

  return {
    serve(stream) {
      server.emit('connection', stream);
    },
    get running() {
      return target.running;
    },
    async [Symbol.asyncDispose]() {
      await target[Symbol.asyncDispose]();
    },
  };
}

function answerError(response: ServerResponse, error: unknown, log: Log): void {
  const body = encode(error, log);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(body.status, { 'Content-Type': 'application/json', 'Content-Length': body.text.length });
  response.end(body.text);
}

function refuseUpgrade(socket: Duplex, error: unknown, log: Log): void {
  const body = encode(error, log);
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(
    `HTTP/1.1 ${body.status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${body.text.length}\r\n` +
      `Connection: close\r\n\r\n${body.text.toString('utf8')}`,
  );
}

function encode(error: unknown, log: Log): { readonly status: number; readonly text: Buffer } {
  if (!(error instanceof StatusError)) log.error({ err: error }, 'a request failed in a way nobody thought of');
  else if (error.status >= 500) log.warn({ reason: messageOf(error) }, 'the cluster’s API server could not be asked');
  const status = toStatus(error);
  return { status: status.code, text: Buffer.from(JSON.stringify(status)) };
}
