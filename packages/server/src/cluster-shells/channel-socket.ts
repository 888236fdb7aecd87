/**
 * A kubectl shell for clients that speak the channels of Kubernetes' exec over one WebSocket, as those of this ecosystem's dashboards do:
 * each message begins with its channel, as a byte, or as a digit with base64 behind it. The shell ends with the connection.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ApiDeps } from '../api/behaviour.ts';
import { requireSameOrigin } from '../auth/index.ts';
import type { Caller, Upgrade } from '../http/exchange.ts';
import { endWhenSilent, webSockets } from '../http/web-sockets.ts';
import { readSize, type TerminalSize } from '../terminals/exec-stream.ts';
import type { ShellListener } from './cluster-shell.ts';
import type { ClusterShells } from './cluster-shells.ts';

const isBase64: Readonly<Record<string, boolean>> = {
  'v5.channel.k8s.io': false,
  'v4.channel.k8s.io': false,
  'channel.k8s.io': false,
  'v4.base64.channel.k8s.io': true,
  'base64.channel.k8s.io': true,
};
const channels = { stdin: 0, stdout: 1, status: 3, resize: 4 } as const;
const mostSendingBytes = 256 << 10;
const beatMs = 15_000;

const sockets = webSockets({
  maxPayload: 1 << 20,
  handleProtocols: offered => [...offered].find(one => Object.hasOwn(isBase64, one)) ?? false,
});

/** Answers the upgrade with a shell in the cluster. */
export function openChannels(
  { deps, shells }: { readonly deps: ApiDeps; readonly shells: ClusterShells },
  upgrade: Upgrade,
  who: { readonly caller: Caller; readonly clusterId: string; readonly base: string },
): void {
  const { request, socket: raw } = upgrade;
  requireSameOrigin(request, who.caller, deps.settings.get('server-url') || undefined);
  // Whoever left while he was signed in would never be seen to leave again.
  if (raw.destroyed) return;
  const far: { socket?: ChannelSocket } = {};
  const { caller, clusterId, base } = who;
  const shell = shells.begin(
    caller,
    { clusterId, base, request },
    {
      output: bytes => far.socket?.output(bytes),
      ended: why => far.socket?.ended(why),
    },
  );
  raw.once('close', () => shell.close());
  sockets.handleUpgrade(request, raw, upgrade.head, socket => {
    far.socket = new ChannelSocket(socket, raw, shell);
  });
}

class ChannelSocket implements ShellListener {
  readonly #socket: WebSocket;
  readonly #raw: Duplex;
  readonly #shell: ReturnType<ClusterShells['begin']>;
  readonly #encode: (channel: number, body: Buffer) => Buffer | string;
  readonly #tellsStatus: boolean;

  constructor(socket: WebSocket, raw: Duplex, shell: ReturnType<ClusterShells['begin']>) {
    this.#socket = socket;
    this.#raw = raw;
    this.#shell = shell;
    const base64 = isBase64[socket.protocol] === true;
    this.#tellsStatus = /^v[45]/.test(socket.protocol);
    this.#encode = (channel, body) =>
      base64 ? `${channel}${body.toString('base64')}` : Buffer.concat([Buffer.of(channel), body]);
    socket.on('error', () => socket.terminate());
    socket.on('message', (data: Buffer) => this.#take(base64 ? decode(data) : data));
    // Nothing is in it: it says that the connection stands.
    this.output(Buffer.alloc(0));
    endWhenSilent(socket, beatMs);
  }

  output(bytes: Buffer): void {
    this.#socket.send(this.#encode(channels.stdout, bytes));
    if (this.#socket.bufferedAmount <= mostSendingBytes) return;
    this.#shell.pause();
    this.#raw.once('drain', () => this.#shell.resume());
  }

  ended(why: string): void {
    if (why) this.output(Buffer.from(`\r\n${why}\r\n`));
    const status = why ? { status: 'Failure', message: why } : { status: 'Success' };
    if (this.#tellsStatus) this.#socket.send(this.#encode(channels.status, Buffer.from(JSON.stringify(status))));
    else if (why) this.#socket.send(this.#encode(channels.status, Buffer.from(why)));
    this.#socket.close(1000, cut(why));
  }

  #take(frame: Buffer): void {
    const body = frame.subarray(1);
    if (frame[0] === channels.resize) {
      const size = readResize(body);
      if (size) this.#shell.resize(...size);
    } else if (frame[0] === channels.stdin && body.length > 0) {
      this.#socket.pause();
      void this.#shell.write(body).finally(() => this.#socket.resume());
    }
  }
}

/** The digit as the byte that it stands for. */
const decode = (data: Buffer): Buffer =>
  Buffer.concat([Buffer.of((data[0] ?? 0) - 48), Buffer.from(data.subarray(1).toString('latin1'), 'base64')]);

/** A close reason has 123 bytes at most. */
function cut(why: string): string {
  let text = why;
  while (Buffer.byteLength(text) > 123) text = text.slice(0, -1);
  return text;
}

function readResize(body: Buffer): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(body.toString('utf8')) as { Width?: unknown; Height?: unknown };
    return readSize(Width, Height);
  } catch {
    return undefined;
  }
}
