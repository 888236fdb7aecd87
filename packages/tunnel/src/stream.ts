/**
 * One multiplexed connection as a Duplex. Pause in and pause out are two flags, so that neither direction can undo the
 * other's. Surprise: the protocol knows no half-close, so ending the writable side ends the whole stream.
 */
import { Duplex } from 'node:stream';
import { type StatusError, unavailable } from '@drover/base';
import type { FrameWriter, Outlet } from './frame-writer.ts';
import { endOfStream, messageType, oldestTextLimit } from './message.ts';

/** What a stream needs of its session. */
export interface StreamHome {
  readonly writer: FrameWriter;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Bytes buffered in this stream above which the far end is asked to pause. */
  pauseAt(): number;
  /** Bytes that one stream may buffer before it fails. */
  readonly streamCapBytes: number;
  /** The stream is closed on the wire; its id is free. */
  release(stream: TunnelStream): void;
  /** The stream began (+1) or ceased (-1) to hold the far end paused. */
  pausing(change: 1 | -1): void;
}

/** Below this many buffered bytes the far end is told to go on, as remotedialer does at an eighth of its buffer. */
const resumeBelow = 256 * 1024;
const writeAhead = 64 * 1024;
const copyBelow = 2048;

type Done = (error?: Error | null) => void;

export class TunnelStream extends Duplex implements Outlet {
  readonly id: number;
  /** When it was opened, on the session's clock. */
  readonly openedAt: number;
  /** Missing in the far end's last list of live streams. */
  suspect = false;
  readonly #home: StreamHome;
  #out: Buffer[] = [];
  #outBytes = 0;
  #written: Done | undefined;
  #pausedOut = false;
  #pausedIn = false;
  #closed = false;
  #failure: StatusError | undefined;

  constructor(home: StreamHome, id: number) {
    super({ allowHalfOpen: false, readableHighWaterMark: resumeBelow, writableHighWaterMark: writeAhead });
    this.#home = home;
    this.id = id;
    this.openedAt = home.now();
  }

  /** Whether this end holds the far end's sending. */
  get pausedIn(): boolean {
    return this.#pausedIn;
  }

  get pending(): number {
    return this.#outBytes;
  }

  /** Bytes arrived. Over the cap the stream fails, alone. */
  receive(payload: Buffer): void {
    if (this.#closed || payload.length === 0) return;
    // A small view would keep the whole chunk that it came in for as long as nobody reads it.
    const idle = this.readableLength > 0 && payload.length < copyBelow;
    this.push(idle ? Buffer.from(payload) : payload);
    const buffered = this.readableLength;
    if (buffered <= this.#home.pauseAt()) return;
    const cap = this.#home.streamCapBytes;
    if (buffered > cap)
      this.destroy(unavailable(`stream buffered more than ${Math.floor(cap)} bytes that nobody read`));
    else if (!this.#pausedIn) this.#setPausedIn(true);
  }

  /** The far end asked to stop (true) or go on with sending. */
  hold(paused: boolean): void {
    if (this.#pausedOut === paused) return;
    this.#pausedOut = paused;
    if (this.#outBytes === 0 || this.#closed) return;
    if (paused) this.#home.writer.leave(this);
    else this.#home.writer.join(this);
  }

  /** The far end closed the stream; what has arrived is still delivered, then the end or the failure. */
  closedByPeer(text: string): void {
    if (this.#closed) return;
    this.#release();
    this.#discard();
    if (text === endOfStream) {
      this.push(null);
      // Nobody is left to take what is still being written: as with a socket whose other side has gone, it is lost.
      this.#settleWrites();
      return;
    }
    this.fail(unavailable(text || 'closed by the other end of the tunnel'));
  }

  /** Ends the stream with an error once what has arrived is read; says nothing on the wire. */
  fail(error: StatusError): void {
    this.#release();
    if (this.readableLength === 0) this.destroy(error);
    else this.#failure = error;
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    if (this.#failure && this.readableLength === 0) this.destroy(this.#failure);
    return chunk;
  }

  nextBytes(maxBytes: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let room = maxBytes;
    let index = 0;
    for (; index < this.#out.length && this.#out[index]!.length <= room; index++) {
      const chunk = this.#out[index]!;
      taken.push(chunk);
      room -= chunk.length;
    }
    const split = this.#out[index];
    if (split && room > 0) {
      taken.push(split.subarray(0, room));
      this.#out[index] = split.subarray(room);
      room = 0;
    }
    this.#out.splice(0, index);
    this.#outBytes -= maxBytes - room;
    return taken;
  }

  drained(): void {
    this.#settleWrites();
  }

  override _read(): void {
    if (this.#pausedIn) this.#setPausedIn(false);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send([chunk], chunk.length, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    let size = 0;
    for (const { chunk } of chunks) size += chunk.length;
    this.#send(
      chunks.map(({ chunk }) => chunk),
      size,
      done,
    );
  }

  override _final(done: Done): void {
    // Node calls this only when all writes are settled, that is, on their way.
    if (!this.#closed) {
      this.#home.writer.control(messageType.error, this.id, Buffer.from(endOfStream));
      this.#release();
      this.push(null);
    }
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    if (!this.#closed) {
      const text = error ? Buffer.from(error.message || error.name).subarray(0, oldestTextLimit) : endOfStream;
      this.#home.writer.control(messageType.error, this.id, Buffer.from(text));
      this.#release();
    }
    this.#discard();
    const written = this.#written;
    this.#written = undefined;
    written?.(error ?? unavailable('stream closed'));
    done(error);
  }

  #send(chunks: Buffer[], size: number, done: Done): void {
    if (this.#failure) {
      // Told with the failure itself, once what arrived before it is read.
      this.#written = done;
      return;
    }
    if (this.#closed || size === 0) {
      done();
      return;
    }
    this.#out = chunks;
    this.#outBytes = size;
    this.#written = done;
    if (!this.#pausedOut) this.#home.writer.join(this);
  }

  #settleWrites(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  #discard(): void {
    if (this.#outBytes === 0) return;
    this.#home.writer.leave(this);
    this.#out = [];
    this.#outBytes = 0;
  }

  #release(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#pausedIn) {
      this.#pausedIn = false;
      this.#home.pausing(-1);
    }
    this.#home.release(this);
  }

  #setPausedIn(paused: boolean): void {
    this.#pausedIn = paused;
    this.#home.pausing(paused ? 1 : -1);
    this.#home.writer.control(paused ? messageType.pause : messageType.resume, this.id);
  }
}
