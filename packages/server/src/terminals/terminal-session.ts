/**
 * TerminalSession: a shell that outlives the connection to its user. What it writes meanwhile is kept, up to a bound beyond which it
 * waits; whoever comes back within a minute goes on where he was, in both directions.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { endWhenSilent } from '../http/web-sockets.ts';
import { type RunningCommand, readSize, type TerminalSize } from './exec-stream.ts';
import { OutputRing } from './output-ring.ts';

export interface SessionOwner {
  readonly userId: string;
  readonly tokenId: string;
}

export interface TerminalSessionOptions {
  readonly id: string;
  readonly owner: SessionOwner;
  /** How long a user may be away. */
  readonly awayMs: number;
  readonly onGone: () => void;
}

interface Reader {
  readonly socket: WebSocket;
  /** What the WebSocket runs over: it knows whether its user keeps up. */
  readonly raw: Duplex;
}

const mostKept = 1 << 20;
/** So much more while nobody reads, and the shell waits; as much again may have been on its way when the connection broke. */
const mostUnread = mostKept / 2;
const mostSendingBytes = 256 << 10;
const beatMs = 10_000;

export class TerminalSession {
  readonly id: string;
  readonly owner: SessionOwner;
  readonly #options: TerminalSessionOptions;
  readonly #ring = new OutputRing(mostKept);
  #exec: RunningCommand | undefined;
  #reader: Reader | undefined;
  #away: NodeJS.Timeout | undefined;
  #leftAt = 0;
  #received = 0;
  #ended: string | undefined;
  #isGone = false;

  constructor(options: TerminalSessionOptions) {
    this.id = options.id;
    this.owner = options.owner;
    this.#options = options;
  }

  /** Gives it the shell; until then it has none. */
  run(exec: RunningCommand): void {
    this.#exec = exec;
    if (this.#isGone) exec.close();
  }

  output(bytes: Buffer): void {
    this.#ring.add(bytes);
    if (this.#reader) {
      this.#reader.socket.send(bytes, { binary: true });
      if (this.#reader.socket.bufferedAmount > mostSendingBytes) this.#hold(this.#reader);
    } else if (this.#ring.end - this.#leftAt > mostUnread) this.#exec?.pause();
  }

  ended(why: string): void {
    this.#ended = why;
    if (!this.#reader) return;
    this.#tell({ type: 'ended', why });
    this.#reader.socket.close(1000, 'ended');
    this.close();
  }

  /** Gives it to a user who has read so many bytes; whoever had it before gives way. */
  attach(socket: WebSocket, raw: Duplex, read: number): void {
    clearTimeout(this.#away);
    const before = this.#reader;
    this.#reader = { socket, raw };
    endWhenSilent(socket, beatMs, () => {
      if (this.#reader?.socket === socket) this.#tell({ type: 'beat' });
    });
    before?.socket.close(4001, 'it was opened elsewhere');
    const { lost, bytes } = this.#ring.from(read);
    this.#tell({ type: 'session', id: this.id, received: this.#received, lost });
    if (bytes.length > 0) socket.send(bytes, { binary: true });
    this.#exec?.resume();
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#take(data, isBinary));
    socket.once('close', () => this.#leave(socket));
    if (this.#ended !== undefined) this.ended(this.#ended);
  }

  /** Ends the shell, and tells whoever reads why where it was not he himself. */
  close(why?: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearTimeout(this.#away);
    this.#exec?.close();
    if (why !== undefined) this.#tell({ type: 'ended', why });
    this.#reader?.socket.close(1000, 'ended');
    this.#options.onGone();
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (!isBinary) {
      const { resize, close } = readFrame(data);
      if (resize) this.#exec?.resize(...resize);
      if (close) this.close();
      return;
    }
    this.#received += data.length;
    const reader = this.#reader;
    reader?.socket.pause();
    void this.#exec?.write(data).then(() => reader?.socket.resume());
  }

  /** Goes on once the user has caught up. */
  #hold({ raw, socket }: Reader): void {
    this.#exec?.pause();
    raw.once('drain', () => {
      if (this.#reader?.socket === socket) this.#exec?.resume();
    });
  }

  #leave(socket: WebSocket): void {
    if (this.#reader?.socket !== socket) return;
    this.#reader = undefined;
    this.#leftAt = this.#ring.end;
    this.#exec?.resume();
    if (!this.#isGone) this.#away = setTimeout(() => this.close(), this.#options.awayMs).unref();
  }

  #tell(frame: object): void {
    const socket = this.#reader?.socket;
    if (socket?.readyState === socket?.OPEN) socket?.send(JSON.stringify(frame), { binary: false });
  }
}

interface Frame {
  readonly resize?: TerminalSize;
  readonly close?: boolean;
}

/** What is none of ours is passed over. */
function readFrame(data: Buffer): Frame {
  try {
    const { resize, close } = JSON.parse(data.toString('utf8')) as { resize?: unknown; close?: unknown };
    const [columns, rows] = Array.isArray(resize) ? resize : [];
    return { resize: readSize(columns, rows), close: close === true };
  } catch {
    return {};
  }
}
