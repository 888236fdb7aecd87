/**
 * A shell in a container that the server keeps while the connection to it is broken: both sides say how much they have, and go on from
 * there. Whoever can't come back within the time that the server waits is told that it has ended.
 */

export interface ContainerPlace {
  readonly clusterId: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** A command in a container, or a kubectl shell in a cluster. */
export type TerminalWish =
  | (ContainerPlace & { readonly command: readonly string[] })
  | { readonly clusterId: string; readonly kubectl: true };

function queryOf(wish: TerminalWish): URLSearchParams {
  if ('kubectl' in wish) return new URLSearchParams({ clusterId: wish.clusterId, shell: 'true' });
  const { command, ...place } = wish;
  return new URLSearchParams([...Object.entries(place), ...command.map(word => ['command', word])]);
}

export interface TerminalListener {
  /** Under which it can be gone on with. */
  readonly opened: (session: string) => void;
  readonly output: (bytes: Uint8Array) => void;
  /** So much was written while nobody read, and is gone. */
  readonly lost: (bytes: number) => void;
  /** Whether it is connected just now. */
  readonly connected: (isConnected: boolean) => void;
  /** Why it ended; empty where it ended by itself. */
  readonly ended: (why: string) => void;
}

const silentMs = 25_000;
const firstWaitMs = 300;
const longestWaitMs = 5000;
/** As long as the server keeps a shell for somebody who is away. */
const awayMs = 60_000;
const mostUnacknowledged = 256 << 10;

interface Frame {
  readonly type: 'session' | 'beat' | 'ended';
  readonly id?: string;
  readonly received?: number;
  readonly lost?: number;
  readonly why?: string;
}

export class TerminalStream {
  readonly #wish: TerminalWish;
  readonly #listener: TerminalListener;
  #session: string | undefined;
  #socket: WebSocket | undefined;
  #read = 0;
  /** What was typed, from its `#sent - length`th byte on. */
  #typed = new Uint8Array();
  #sent = 0;
  #size: readonly [number, number] | undefined;
  #waitMs = firstWaitMs;
  #brokenAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /** With `session` it goes on with one that was open before. */
  constructor(wish: TerminalWish, listener: TerminalListener, session?: string) {
    this.#wish = wish;
    this.#listener = listener;
    this.#session = session;
    window.addEventListener('online', this.#wake);
    window.addEventListener('offline', this.#cut);
    this.#connect();
  }

  write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#sent += bytes.length;
    const kept = new Uint8Array(this.#typed.length + bytes.length);
    kept.set(this.#typed);
    kept.set(bytes, this.#typed.length);
    this.#typed = kept.slice(-mostUnacknowledged);
    if (this.#isOpen) this.#socket!.send(bytes);
  }

  resize(columns: number, rows: number): void {
    this.#size = [columns, rows];
    if (this.#isOpen) this.#socket!.send(JSON.stringify({ resize: this.#size }));
  }

  /** Ends the shell. */
  close(): void {
    if (this.#isOpen) this.#socket!.send(JSON.stringify({ close: true }));
    this.#end();
  }

  /** Leaves it to the server, which keeps it for a while. */
  leave(): void {
    this.#end();
  }

  get #isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  readonly #wake = (): void => {
    if (this.#isOver || this.#socket) return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  readonly #cut = (): void => this.#socket?.close();

  #connect(): void {
    const query = queryOf(this.#wish);
    query.set('read', String(this.#read));
    if (this.#session) query.set('session', this.#session);
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/v1-terminals?${query}`);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      this.#heard(socket);
    };
    socket.onmessage = ({ data }) => {
      this.#heard(socket);
      if (typeof data === 'string') this.#take(JSON.parse(data) as Frame);
      else {
        const bytes = new Uint8Array(data as ArrayBuffer);
        this.#read += bytes.length;
        this.#listener.output(bytes);
      }
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket || this.#isOver) return;
      this.#socket = undefined;
      clearTimeout(this.#timer);
      if (code === 4001) this.#over(reason);
      else if (!this.#session && !wasOpen) this.#over(undefined);
      else this.#again();
    };
  }

  #take({ type, id, received = 0, lost = 0, why = '' }: Frame): void {
    if (type === 'ended') this.#over(why);
    if (type !== 'session') return;
    this.#session = id;
    this.#brokenAt = 0;
    this.#waitMs = firstWaitMs;
    if (lost > 0) {
      this.#read += lost;
      this.#listener.lost(lost);
    }
    this.#listener.opened(id!);
    this.#listener.connected(true);
    // What was typed and never arrived; a page that was loaded anew knows of nothing that it typed.
    const missing = this.#sent - received;
    if (missing > 0) this.#socket!.send(this.#typed.slice(-missing));
    if (this.#sent < received) this.#sent = received;
    if (this.#size) this.#socket!.send(JSON.stringify({ resize: this.#size }));
  }

  #again(): void {
    this.#listener.connected(false);
    this.#brokenAt ||= performance.now();
    if (performance.now() - this.#brokenAt > awayMs) {
      this.#over(undefined);
      return;
    }
    this.#timer = setTimeout(() => this.#connect(), this.#waitMs);
    this.#waitMs = Math.min(longestWaitMs, this.#waitMs * 2);
  }

  #heard(socket: WebSocket): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => socket.close(), silentMs);
  }

  #over(why: string | undefined): void {
    this.#end();
    this.#listener.ended(why ?? 'unreachable');
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    window.removeEventListener('online', this.#wake);
    window.removeEventListener('offline', this.#cut);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket && socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket?.close();
  }
}
