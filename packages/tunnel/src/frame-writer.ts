/**
 * The sending side of a tunnel's websocket: control messages first, then streams in turn, a TLS record each, gathered into
 * one write a turn of the event loop. It frames for itself, straight to the socket; ws still does handshake, receiving
 * and closing. Surprise: pings bound what is under way, since a pause stops only what has not been sent yet.
 */
import type { Duplex } from 'node:stream';
import { applyMask, writeMaskKey } from './mask.ts';
import { headerSize, messageType, nextMessageId, writeHeader } from './message.ts';

/** Something with bytes to send; the writer asks it when its turn comes. */
export interface Outlet {
  readonly id: number;
  /** Bytes waiting to be sent now. */
  readonly pending: number;
  /** Hands over up to `maxBytes` of what waits, without copying, and forgets it. */
  nextBytes(maxBytes: number): Uint8Array[];
  /** All that was waiting is on its way; the outlet has left the round. */
  drained(): void;
}

export interface FrameWriterOptions {
  /** `random` towards a server in the clear, `zero` towards a server inside TLS, where masking protects from nothing. */
  readonly mask: 'none' | 'random' | 'zero';
  /** Called once when control messages pile up because the far end reads nothing. */
  readonly onFlood: () => void;
  readonly controlCapBytes?: number;
  /** Bytes sent after a ping that the far end has not answered, above which stream data waits for the answer. */
  readonly windowBytes?: number;
  /** Called when a ping goes out, the writer's own too. */
  readonly onPing?: () => void;
}

interface Control {
  readonly opcode: number;
  readonly type: number;
  readonly id: number;
  readonly chunks: readonly Uint8Array[];
}

interface Frame extends Control {
  readonly messageId: number;
  /** Of header and payload, without the websocket's own. */
  readonly size: number;
}

/** The most that a TLS record holds. A frame that lies in one is read as it lies; one that lies in two is copied together first. */
const recordBytes = 16 * 1024;
const leastInRecord = 2048;
const batchBytes = 4 * recordBytes;
/** Half of what a stream may buffer at the oldest far ends of ours; at 100 ms there and back still 80 MB a second. */
const defaultWindowBytes = 8 * 1024 * 1024;
/** Batches of bulk data are written into buffers that are used again: their garbage would outgrow all else that an agent holds. */
const spareBytes = 96 * 1024;
const spareFrom = 16 * 1024;
const mostSpares = 8;
const spares: Buffer[] = [];
const binary = 0x82;
const ping = 0x89;
const pong = 0x8a;

export class FrameWriter {
  readonly #socket: Duplex;
  readonly #options: FrameWriterOptions;
  #controls: Control[] = [];
  #controlBytes = 0;
  #pongQueued = false;
  #ring: Outlet[] = [];
  #scheduled = false;
  #blocked = false;
  #closed = false;
  /** What had been sent when the ping on its way was queued; undefined without one. */
  #sentAtPing: number | undefined;
  /** What had been sent when the last answered ping was. */
  #arrived = 0;
  readonly #windowBytes: number;
  bytesOut = 0;

  constructor(socket: Duplex, options: FrameWriterOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#windowBytes = options.windowBytes ?? defaultWindowBytes;
    socket.on('drain', () => {
      this.#blocked = false;
      this.#flush();
    });
  }

  /** Bytes handed to the socket that the kernel has not taken yet, and streams waiting for their turn. */
  get backlog(): { bytes: number; outlets: number } {
    return { bytes: this.#socket.writableLength + this.#controlBytes, outlets: this.#ring.length };
  }

  /** Queues a message ahead of all stream data. */
  control(type: number, id: number, payload?: Uint8Array): void {
    this.#push({ opcode: binary, type, id, chunks: payload ? [payload] : [] });
  }

  /** Asks for a sign of life, unless an answer is still awaited. */
  ping(): void {
    if (this.#sentAtPing !== undefined) return;
    this.#sentAtPing = this.bytesOut;
    this.#options.onPing?.();
    this.#push({ opcode: ping, type: 0, id: 0, chunks: [] });
  }

  /** The ping was answered (or no answer is expected any more): all that was sent before it is no longer under way. */
  ponged(): void {
    if (this.#sentAtPing === undefined) return;
    this.#arrived = this.#sentAtPing;
    this.#sentAtPing = undefined;
    if (this.#ring.length > 0) this.#schedule();
  }

  /** Answers the last ping; pings that came while an answer is queued share it (RFC 6455 5.5.3). */
  pong(payload: Uint8Array): void {
    if (this.#pongQueued) return;
    this.#pongQueued = true;
    this.#push({ opcode: pong, type: 0, id: 0, chunks: [payload] });
  }

  /** Puts a stream in the round; it must not be in it already. */
  join(outlet: Outlet): void {
    if (this.#closed) return;
    this.#ring.push(outlet);
    this.#schedule();
  }

  /** Takes a stream out of the round, if it is in it. */
  leave(outlet: Outlet): void {
    const index = this.#ring.indexOf(outlet);
    if (index >= 0) this.#ring.splice(index, 1);
  }

  /** Sends what control messages are queued, at once, and nothing after. */
  close(): void {
    if (this.#closed) return;
    this.#ring = [];
    if (!this.#blocked) this.#flush();
    this.#closed = true;
    this.#controls = [];
  }

  #push(control: Control): void {
    if (this.#closed) return;
    this.#controls.push(control);
    this.#controlBytes += 32 + (control.chunks[0]?.length ?? 0);
    if (this.#controlBytes > (this.#options.controlCapBytes ?? 4 * 1024 * 1024)) {
      this.#closed = true;
      this.#controls = [];
      this.#ring = [];
      this.#options.onFlood();
    } else this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#blocked) return;
    this.#scheduled = true;
    // After all sockets that had something to say in this turn: what they caused goes out in one write.
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#closed && !this.#blocked && (this.#controls.length > 0 || this.#mayData())) {
      if (!this.#socket.writable) return;
      this.#writeBatch();
      if (this.bytesOut - this.#arrived > this.#windowBytes / 8) this.ping();
    }
  }

  #mayData(): boolean {
    return this.#ring.length > 0 && this.bytesOut - this.#arrived < this.#windowBytes;
  }

  #writeBatch(): void {
    const frames: Frame[] = [];
    const drained: Outlet[] = [];
    const maskSize = this.#options.mask === 'none' ? 0 : 4;
    let size = 0;
    for (const control of this.#controls) {
      const frame = frameOf(control);
      size += wrappedSize(frame.size, maskSize);
      frames.push(frame);
    }
    this.#controls = [];
    this.#controlBytes = 0;
    this.#pongQueued = false;
    const mayData = this.#mayData();
    while (mayData && size < batchBytes && this.#ring.length > 0) {
      const outlet = this.#ring.shift()!;
      const messageId = nextMessageId();
      const { data: type } = messageType;
      const chunks = outlet.nextBytes(roomAt(size) - maskSize - 4 - headerSize(messageId, outlet.id, type));
      const frame = frameOf({ opcode: binary, type, id: outlet.id, chunks }, messageId);
      size += wrappedSize(frame.size, maskSize);
      frames.push(frame);
      if (outlet.pending > 0) this.#ring.push(outlet);
      else drained.push(outlet);
    }
    const whole = size < spareFrom || size > spareBytes ? undefined : (spares.pop() ?? Buffer.allocUnsafe(spareBytes));
    const target = whole ? whole.subarray(0, size) : Buffer.allocUnsafe(size);
    let offset = 0;
    for (const frame of frames) offset = writeFrame(target, offset, frame, this.#options.mask);
    this.bytesOut += size;
    const written = whole && (() => void (spares.length < mostSpares && spares.push(whole)));
    if (!this.#socket.write(target, written)) this.#blocked = true;
    for (const outlet of drained) outlet.drained();
  }
}

function frameOf(control: Control, ownId?: number): Frame {
  let size = 0;
  for (const chunk of control.chunks) size += chunk.length;
  if (control.opcode !== binary) return { ...control, messageId: 0, size };
  const messageId = ownId ?? nextMessageId();
  return { ...control, messageId, size: size + headerSize(messageId, control.id, control.type) };
}

/** What is left of the record that the byte at `offset` of a batch lies in, or more where that is hardly anything. */
function roomAt(offset: number): number {
  const left = recordBytes - (offset % recordBytes);
  return left < leastInRecord ? left + recordBytes : left;
}

const wrappedSize = (size: number, maskSize: number) => size + maskSize + (size < 126 ? 2 : size < 65_536 ? 4 : 10);

/** One websocket frame (RFC 6455 5.2) with one message in it; returns the offset behind it. */
function writeFrame(target: Buffer, start: number, frame: Frame, mask: FrameWriterOptions['mask']): number {
  const { size } = frame;
  const masked = mask === 'none' ? 0 : 0x80;
  let offset = start;
  target[offset++] = frame.opcode;
  if (size < 126) target[offset++] = masked | size;
  else if (size < 65_536) {
    target[offset++] = masked | 126;
    offset = target.writeUInt16BE(size, offset);
  } else {
    target[offset++] = masked | 127;
    offset = target.writeUInt32BE(0, offset);
    offset = target.writeUInt32BE(size, offset);
  }
  const keyAt = offset;
  if (mask !== 'none') offset += 4;
  const bodyAt = offset;
  if (frame.opcode === binary)
    offset = writeHeader(target, offset, { messageId: frame.messageId, connectionId: frame.id, type: frame.type });
  for (const chunk of frame.chunks) {
    target.set(chunk, offset);
    offset += chunk.length;
  }
  if (mask === 'zero') target.fill(0, keyAt, bodyAt);
  if (mask === 'random') {
    writeMaskKey(target, keyAt);
    applyMask(target, { keyAt, start: bodyAt, end: offset });
  }
  return offset;
}
