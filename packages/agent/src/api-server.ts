/**
 * The kube-apiserver as the server sees it through the tunnel: plain HTTP on each stream, checked, given the agent's own
 * credentials, and forwarded. Token and TLS never leave the cluster. Nearly every request goes by a Passage; upgrades and
 * whatever is not in the plain form go by Node's HTTP server and a pool of connections.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Log } from '@drover/base';
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
import { Passage, type PassageDeps } from './passage.ts';
import { answerError, refuseStream } from './refuse.ts';

/** Besides what is about the hop: the server's credentials are nothing for the cluster. */
const dropped = new Set(['authorization', 'cookie', 'host']);
const isDropped = (name: string): boolean => dropped.has(name);
/** Beyond so many streams at once the rest share the pool's connections. */
const mostPassages = 4096;

export interface ApiServer extends AsyncDisposable {
  /** Serves HTTP on the stream until it ends. */
  serve(stream: Duplex): void;
}

export function createApiServer(connection: Connection, log: Log): ApiServer {
  const target = new ForwardTarget(connection, "the cluster's API server");
  const own: { header?: string; subject?: string } = {};
  const passages = new Set<Passage>();

  /** The Authorization header to send the request with, whose raw headers these are. Throws for what may not be sent. */
  async function admit(headers: readonly string[]): Promise<string | undefined> {
    const auth = await authorization(connection);
    if (auth && auth.header !== own.header) {
      own.header = auth.header;
      own.subject = auth.token && subjectOfToken(auth.token.reveal());
    }
    checkIdentity(headers, own.subject);
    return auth?.header;
  }

  async function optionsFor(request: IncomingMessage): Promise<ForwardOptions> {
    await admit(request.rawHeaders);
    const headers = endToEndHeaders(request.rawHeaders, isDropped);
    // What Connection named is gone by now: the guard must hold for what is really sent.
    const credentials = await admit(headers);
    if (credentials !== undefined) headers.push('Authorization', credentials);
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
      .catch((error: unknown) => refuseStream(socket, error, log));
  });
  server.on('clientError', (_, socket: Duplex) => socket.destroy());

  const deps: PassageDeps = {
    dialer: target.dialer,
    name: target.name,
    admit,
    refuse: (stream, error) => refuseStream(stream, error, log),
    handOver: stream => void server.emit('connection', stream),
    onOver: passage => void passages.delete(passage),
  };

  return {
    serve(stream) {
      if (passages.size >= mostPassages) server.emit('connection', stream);
      else passages.add(new Passage(stream, deps));
    },
    async [Symbol.asyncDispose]() {
      for (const passage of [...passages]) passage.close();
      await target[Symbol.asyncDispose]();
    },
  };
}
