/**
 * Forwards a request that asks to become a WebSocket or SPDY (exec, attach, port-forward). Nothing that the client sends
 * is passed on before the target has answered 101: it could be a second request under somebody else's name.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import { badRequest, StatusError, splice } from '@drover/base';
import type { ForwardOptions } from './forward.ts';
import type { ForwardTarget } from './forward-target.ts';
import { endToEndHeaders } from './hop-by-hop.ts';
import { networkError } from './network-error.ts';

export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent after the head of its request. */
  readonly head: Buffer;
}

/**
 * Resolves when both sides are closed. Rejects, with nothing sent yet, when the target could not be asked. An answer
 * other than 101 is relayed whole and the connection closed after it.
 */
export async function forwardUpgrade(
  upgrade: UpgradeRequest,
  to: { readonly target: ForwardTarget; readonly options: ForwardOptions },
): Promise<void> {
  const { target, options } = to;
  const protocol = upgradeProtocol(upgrade.request);
  target.enter();
  const gone = new AbortController();
  const onClose = () => gone.abort(new Error('the client has gone'));
  upgrade.socket.once('close', onClose);
  upgrade.socket.on('error', onClose);
  const signal = AbortSignal.any([gone.signal, ...(options.signals ?? [])]);
  try {
    const stream = await target.dialer.dial(signal);
    const { answer, upstream, head } = await ask(stream, { upgrade, protocol, target, options, signal });
    if (upstream) await join(upgrade, { answer, upstream, head, options, signal });
    else await relay(upgrade.socket, answer, options);
  } catch (error) {
    if (gone.signal.aborted) return;
    throw error;
  } finally {
    upgrade.socket.off('close', onClose);
    target.leave();
  }
}

/** WebSocket or SPDY: what a kube-apiserver speaks. Anything else, such as h2c, would change how requests are told apart. */
function upgradeProtocol(request: IncomingMessage): string {
  const protocol = request.headers.upgrade ?? '';
  if (!/^(websocket|spdy\/3\.1)$/i.test(protocol))
    throw badRequest(`Upgrade: "${protocol.slice(0, 40)}" is not supported; it must be websocket or SPDY/3.1`);
  const length = request.headers['content-length'];
  if (request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0'))
    throw badRequest('a request that asks for an upgrade must have no body');
  return protocol;
}

interface Asking {
  readonly upgrade: UpgradeRequest;
  readonly protocol: string;
  readonly target: ForwardTarget;
  readonly options: ForwardOptions;
  readonly signal: AbortSignal;
}

interface Answered {
  readonly answer: IncomingMessage;
  /** There when the answer is 101. */
  readonly upstream?: Duplex;
  readonly head: Buffer;
}

function ask(stream: Duplex, asking: Asking): Promise<Answered> {
  const { upgrade, protocol, target, options, signal } = asking;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      stream.destroy();
      reject(signal.aborted ? signal.reason : error instanceof StatusError ? error : networkError(target.name, error));
    };
    const onAbort = () => fail(signal.reason);
    const settle = (answered: Answered) => {
      signal.removeEventListener('abort', onAbort);
      resolve(answered);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const asked = httpRequest({
      createConnection: () => stream,
      method: upgrade.request.method,
      path: options.path,
      setHost: false,
      headers: ['Host', target.dialer.url.host, ...options.headers, 'Connection', 'Upgrade', 'Upgrade', protocol],
    });
    asked.on('error', fail);
    asked.once('upgrade', (answer, upstream, head) => settle({ answer, upstream, head }));
    asked.once('response', answer => settle({ answer, head: Buffer.alloc(0) }));
    asked.end();
  });
}

async function join(
  { socket, head: early }: UpgradeRequest,
  to: {
    readonly answer: IncomingMessage;
    readonly upstream: Duplex;
    readonly head: Buffer;
    readonly options: ForwardOptions;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { answer, upstream, head, signal } = to;
  const onAbort = () => {
    socket.destroy();
    upstream.destroy();
  };
  const protocol = ['Connection', 'Upgrade', 'Upgrade', answer.headers.upgrade ?? ''];
  socket.write(headText(answer, to.options, protocol));
  if (head.length > 0) socket.write(head);
  if (early.length > 0) upstream.write(early);
  if (signal.aborted) return onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  await splice(socket, upstream);
  signal.removeEventListener('abort', onAbort);
}

/** Relays an answer that is no upgrade; its body ends where the connection does. */
function relay(socket: Duplex, answer: IncomingMessage, options: ForwardOptions): Promise<void> {
  const length = answer.headers['content-length'];
  const framing = ['Connection', 'close', ...(length === undefined ? ['Transfer-Encoding', 'chunked'] : [])];
  socket.write(headText(answer, options, framing));
  return new Promise(resolve => {
    const done = (error?: Error | null) => {
      answer.socket.destroy();
      if (error) socket.destroy();
      resolve();
    };
    if (length === undefined) relayChunked(answer, socket, done);
    else pipeline(answer, socket, done);
  });
}

function relayChunked(answer: IncomingMessage, socket: Duplex, done: (error?: Error | null) => void): void {
  async function* chunks() {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      yield Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
    }
    yield Buffer.from('0\r\n\r\n');
  }
  pipeline(chunks, socket, done);
}

function headText(answer: IncomingMessage, options: ForwardOptions, framing: readonly string[]): Buffer {
  const headers = endToEndHeaders(answer.rawHeaders, options.dropHeader ?? (() => false));
  headers.push(...(options.addHeaders ?? []), ...framing);
  let text = `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage ?? ''}\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}
