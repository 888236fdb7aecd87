/**
 * One websocket with many streams on it, either end of it. The socket is never left unread: a stream nobody reads asks
 * the far end to pause, and fails alone at its cap. Surprise: errors in messages end the session, never the process.
 */
import type { Duplex } from 'node:stream';
import { badRequest, type Log, messageOf, type StatusError, unavailable } from '@drover/base';
import type { RawData, WebSocket } from 'ws';
import { type Advertised, decodeAdvertised, decodeTarget, encodeTarget, type Target } from './address.ts';
import { FrameWriter, type FrameWriterOptions } from './frame-writer.ts';
import { Heartbeat, type HeartbeatOptions } from './heartbeat.ts';
import { decodeMessage, decodeSync, encodeSync, type Message, messageType, oldestTextLimit } from './message.ts';
import { type StreamHome, TunnelStream } from './stream.ts';

export interface SessionLimits {
  /** Bytes that one stream may buffer for a slow reader; over it, or its share of the session's, that stream fails. */
  readonly streamBufferBytes: number;
  /** Shared by a session's streams: the more there are, the sooner each asks for a pause. It may be overrun threefold. */
  readonly sessionBufferBytes: number;
  readonly maxStreams: number;
}

/** A far end that keeps to the rules stops at a pause; what the kernels hold by then, up to 36 MiB on Linux, still comes. */
export const defaultLimits: SessionLimits = {
  streamBufferBytes: 48 * 1024 * 1024,
  sessionBufferBytes: 64 * 1024 * 1024,
  maxStreams: 20_000,
};

export interface SessionOptions {
  readonly socket: Duplex;
  readonly websocket: WebSocket;
  /** Named in errors and logs. */
  readonly name: string;
  /** The far end is not ours: its limits are the old ones, and it may know fewer messages. */
  readonly foreign: boolean;
  readonly mask: FrameWriterOptions['mask'];
  readonly heartbeat: HeartbeatOptions;
  readonly limits: SessionLimits;
  readonly log: Log;
  /** Takes a stream that the far end opened. Absent on the accepting side, where such a stream is refused. */
  readonly onConnect?: (stream: TunnelStream, target: Target) => void;
  /** Takes a peer's news of its clients. Absent for everybody but peers, whose news are then ignored and counted. */
  readonly onAdvertise?: (news: News) => void;
  /** Every so often the live ids are sent to the accepting side, which closes what is missing. */
  readonly syncEveryMs?: number;
}

export type News =
  | { readonly kind: 'add' | 'remove'; readonly client: Advertised }
  | { readonly kind: 'all'; readonly payload: Buffer };

const pauseAtMost = 1024 * 1024;
const pauseAtLeast = 384 * 1024;
const syncAgeMs = 15_000;

export class Session implements StreamHome {
  readonly writer: FrameWriter;
  readonly heartbeat: Heartbeat;
  readonly since = new Date();
  readonly foreign: boolean;
  /** Settles when the session is over, with the reason. */
  readonly ended: Promise<StatusError>;
  readonly now: () => number;
  readonly #options: SessionOptions;
  readonly #streams = new Map<number, TunnelStream>();
  readonly #timers: NodeJS.Timeout[] = [];
  #lastId = 1;
  #end: ((reason: StatusError) => void) | undefined;
  #reason: string | undefined;
  bytesIn = 0;
  paused = 0;
  /** Messages that this end had no business sending: Connect to a server, AddClient from a client. */
  refused = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.foreign = options.foreign;
    this.now = options.heartbeat.now ?? (() => performance.now());
    this.heartbeat = new Heartbeat(options.heartbeat);
    this.writer = new FrameWriter(options.socket, {
      mask: options.mask,
      onFlood: () => this.close('it sends without reading the answers'),
      onPing: () => this.heartbeat.pinged(),
    });
    const { promise, resolve } = Promise.withResolvers<StatusError>();
    this.ended = promise;
    this.#end = resolve;
    this.#listen(options.websocket);
    this.#timers.push(setInterval(() => this.#tick(), this.heartbeat.everyMs).unref());
    options.websocket.resume();
    if (options.syncEveryMs) this.#timers.push(setInterval(() => this.#sendSync(), options.syncEveryMs).unref());
  }

  get live(): boolean {
    return this.#end !== undefined;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  get streamCapBytes(): number {
    const { streamBufferBytes, sessionBufferBytes } = this.#options.limits;
    const share = (3 * sessionBufferBytes) / Math.max(1, this.paused);
    return Math.min(streamBufferBytes, Math.max(2 * this.pauseAt(), share));
  }

  /** Opens a stream to the target. There is no acknowledgement: a refused dial fails the stream later. */
  open(target: Target): TunnelStream {
    if (!this.live) throw unavailable(`tunnel to ${this.#options.name} is closed`, { retryAfterSeconds: 2 });
    if (this.#streams.size >= this.#options.limits.maxStreams)
      throw unavailable(`tunnel to ${this.#options.name} has ${this.#streams.size} streams open, the most it may have`);
    const payload = encodeTarget(target, this.foreign);
    const stream = this.#addStream(++this.#lastId);
    this.writer.control(messageType.connect, stream.id, payload);
    return stream;
  }

  /** Sends a message that belongs to no stream. */
  send(type: number, payload: Buffer): void {
    this.writer.control(type, 0, payload);
  }

  /** Ends the session at once; every stream fails with the reason. */
  close(reason: string, code = 1000): void {
    if (!this.live) return;
    this.#reason = reason;
    this.writer.close();
    const { websocket } = this.#options;
    websocket.close(code, Buffer.from(reason).subarray(0, 100).toString());
    // The closing handshake is a courtesy: a far end that does not answer is cut off.
    setTimeout(() => websocket.terminate(), 1000).unref();
    this.#finish();
  }

  pauseAt(): number {
    const share = this.#options.limits.sessionBufferBytes / (this.#streams.size || 1);
    return Math.min(pauseAtMost, Math.max(pauseAtLeast, share), this.#options.limits.streamBufferBytes / 2);
  }

  release(stream: TunnelStream): void {
    this.#streams.delete(stream.id);
  }

  pausing(change: 1 | -1): void {
    this.paused += change;
  }

  #addStream(id: number): TunnelStream {
    const stream = new TunnelStream(this, id);
    this.#streams.set(id, stream);
    return stream;
  }

  #listen(websocket: WebSocket): void {
    websocket.on('message', (data: RawData, isBinary: boolean) => {
      this.heartbeat.heard();
      if (!this.live) return;
      const bytes = data as Buffer;
      this.bytesIn += bytes.length;
      try {
        if (!isBinary) throw badRequest('it sent a text message');
        this.#receive(decodeMessage(bytes));
      } catch (error) {
        this.#protocolError(messageOf(error));
      }
    });
    websocket.on('ping', (payload: Buffer) => {
      this.heartbeat.heard();
      this.writer.pong(payload);
    });
    websocket.on('pong', () => {
      this.heartbeat.ponged();
      this.writer.ponged();
    });
    websocket.on('error', error => {
      this.#reason ??= messageOf(error);
    });
    websocket.on('close', (code, reason) => {
      this.#reason ??= reason.length > 0 ? `${reason} (${code})` : `connection lost (${code})`;
      this.#finish();
    });
  }

  #receive(message: Message): void {
    const { type, connectionId: id, payload } = message;
    switch (type) {
      case messageType.data:
        this.#receiveData(id, payload);
        return;
      case messageType.connect:
        this.#receiveConnect(id, payload);
        return;
      case messageType.error:
        this.#streams.get(id)?.closedByPeer(payload.subarray(0, 1024).toString());
        return;
      case messageType.pause:
      case messageType.resume:
        this.#streams.get(id)?.hold(type === messageType.pause);
        return;
      case messageType.sync:
        if (!this.#options.onConnect) this.#receiveSync(new Set(decodeSync(payload)));
        return;
      case messageType.addClient:
      case messageType.removeClient:
      case messageType.clients:
        this.#receiveNews(type, payload);
    }
  }

  #receiveData(id: number, payload: Buffer): void {
    const stream = this.#streams.get(id);
    if (stream) stream.receive(payload);
    // Both ends know of the close of every stream there was; only an id that never was needs an answer.
    else if (id > this.#lastId || id < 1)
      this.writer.control(messageType.error, id, Buffer.from(`connection not found ${this.#options.name}/0/${id}`));
  }

  #receiveConnect(id: number, payload: Buffer): void {
    const target = decodeTarget(payload);
    const { onConnect, limits } = this.#options;
    if (!onConnect || this.#streams.has(id) || this.#streams.size >= limits.maxStreams) {
      this.refused++;
      if (!this.#streams.has(id)) this.writer.control(messageType.error, id, Buffer.from('connect not allowed'));
      return;
    }
    this.#lastId = Math.max(this.#lastId, id);
    onConnect(this.#addStream(id), target);
  }

  /** Closes what the client no longer has: missing in two lists running, and not of late, since a list may be on its way. */
  #receiveSync(listed: ReadonlySet<number>): void {
    const now = this.now();
    for (const stream of [...this.#streams.values()]) {
      if (listed.has(stream.id) || now - stream.openedAt < syncAgeMs) stream.suspect = false;
      else if (!stream.suspect) stream.suspect = true;
      else {
        this.writer.control(messageType.error, stream.id, Buffer.from('sync from client'));
        stream.closedByPeer('sync from client');
      }
    }
  }

  #receiveNews(type: number, payload: Buffer): void {
    const { onAdvertise } = this.#options;
    if (!onAdvertise) this.refused++;
    else if (type === messageType.clients) onAdvertise({ kind: 'all', payload });
    else onAdvertise({ kind: type === messageType.addClient ? 'add' : 'remove', client: decodeAdvertised(payload) });
  }

  #sendSync(): void {
    this.send(messageType.sync, encodeSync([...this.#streams.keys()]));
  }

  #tick(): void {
    const todo = this.heartbeat.tick();
    // Whoever speaks but answers no ping is not waited for.
    if (this.heartbeat.unanswered()) this.writer.ponged();
    if (todo === 'ping') this.writer.ping();
    if (todo !== 'dead') return;
    this.#reason = `nothing heard for ${Math.round(this.heartbeat.silentMs)} ms`;
    this.#options.websocket.terminate();
    this.#finish();
  }

  #protocolError(what: string): void {
    this.#options.log.warn({ tunnel: this.#options.name, error: what }, 'tunnel closed: malformed message');
    this.close(what.slice(0, oldestTextLimit), 1002);
  }

  #finish(): void {
    const end = this.#end;
    if (!end) return;
    this.#end = undefined;
    this.writer.close();
    for (const timer of this.#timers) clearInterval(timer);
    const reason = unavailable(`tunnel to ${this.#options.name} closed: ${this.#reason}`, { retryAfterSeconds: 2 });
    for (const stream of [...this.#streams.values()]) stream.fail(reason);
    end(reason);
  }
}
