/**
 * The tunnel's messages as bytes: varints, a header, a payload. Byte-compatible with remotedialer v0.6.1.
 * Surprise: Data and Connect carry a deadline that nobody reads any more; everybody still has to write it.
 */
import { badRequest } from '@drover/base';

/** Message types by their number on the wire. `clients` is ours alone; other readers pass over types they don't know. */
export const messageType = {
  data: 1,
  connect: 2,
  error: 3,
  addClient: 4,
  removeClient: 5,
  pause: 6,
  resume: 7,
  sync: 8,
  clients: 19,
} as const;

export interface Message {
  readonly type: number;
  readonly connectionId: number;
  /** A view into the bytes that were decoded, not a copy. */
  readonly payload: Buffer;
}

/** The text of an Error message that means a graceful end. */
export const endOfStream = 'EOF';

/** Readers since v0.5.0 take 266 bytes of Connect; all take at least 100 of an Error or Connect and cut the rest off. */
export const oldestTextLimit = 100;

let lastMessageId = Math.floor(Math.random() * 0x1fff_ffff);

/** Message ids only tell messages apart in logs; kept below 2^30 so that they stay five bytes long. */
export function nextMessageId(): number {
  lastMessageId = lastMessageId >= 0x3fff_ffff ? 1 : lastMessageId + 1;
  return lastMessageId;
}

/** Bytes that `value` takes as a zig-zag varint; exact up to 2^52 either way. */
export function varintSize(value: number): number {
  let rest = value >= 0 ? value * 2 : -2 * value - 1;
  let size = 1;
  while (rest >= 128) {
    rest = Math.floor(rest / 128);
    size++;
  }
  return size;
}

/** Writes `value` as a zig-zag varint (Go's binary.PutVarint) and returns the offset behind it. */
export function writeVarint(target: Uint8Array, start: number, value: number): number {
  let rest = value >= 0 ? value * 2 : -2 * value - 1;
  let offset = start;
  while (rest > 0x7fff_ffff) {
    target[offset++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 128) {
    target[offset++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  target[offset++] = rest;
  return offset;
}

const hasDeadline = (type: number) => type === messageType.data || type === messageType.connect;

export function headerSize(messageId: number, connectionId: number, type: number): number {
  return varintSize(messageId) + varintSize(connectionId) + 1 + (hasDeadline(type) ? 3 : 0);
}

/** Writes everything before the payload and returns the offset where the payload goes. */
export function writeHeader(
  target: Uint8Array,
  start: number,
  header: { messageId: number; connectionId: number; type: number },
): number {
  let offset = writeVarint(target, start, header.messageId);
  offset = writeVarint(target, offset, header.connectionId);
  target[offset++] = header.type * 2;
  if (hasDeadline(header.type)) {
    // zig-zag 15000: the value every writer has sent since the field lost its meaning.
    target[offset++] = 0xb0;
    target[offset++] = 0xea;
    target[offset++] = 0x01;
  }
  return offset;
}

/** One whole message in a buffer of its own. */
export function encodeMessage(message: {
  messageId?: number;
  connectionId: number;
  type: number;
  payload?: Uint8Array;
}): Buffer {
  const { messageId = nextMessageId(), connectionId, type, payload } = message;
  const size = headerSize(messageId, connectionId, type);
  const bytes = Buffer.allocUnsafe(size + (payload?.length ?? 0));
  writeHeader(bytes, 0, { messageId, connectionId, type });
  if (payload) bytes.set(payload, size);
  return bytes;
}

let cursor = 0;

/** Reads a varint at `cursor` and moves it on. Values beyond 2^53 lose precision, which only message ids may. */
function readVarint(bytes: Uint8Array): number {
  let value = 0;
  let scale = 1;
  for (let read = 1; ; read++) {
    if (cursor >= bytes.length) throw badRequest(`tunnel message of ${bytes.length} bytes ends inside a varint`);
    const byte = bytes[cursor++]!;
    if (read === 10 && byte > 1) throw badRequest('tunnel message has a varint of more than 64 bits');
    value += (byte & 127) * scale;
    if (byte < 128) break;
    scale *= 128;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Takes one message apart. Throws BadRequest on a truncated or oversized header; unknown types are returned as they are. */
export function decodeMessage(bytes: Buffer): Message {
  cursor = 0;
  readVarint(bytes);
  const connectionId = readVarint(bytes);
  const type = readVarint(bytes);
  if (hasDeadline(type)) readVarint(bytes);
  if (!Number.isSafeInteger(connectionId)) throw badRequest('tunnel message has a connection id beyond 2^53');
  return { type, connectionId, payload: bytes.subarray(cursor) };
}

/** SyncConnections' payload: each id as eight bytes, little-endian, ascending. */
export function encodeSync(ids: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(ids.length * 8);
  for (const [index, id] of [...ids].sort((a, b) => a - b).entries()) bytes.writeBigInt64LE(BigInt(id), index * 8);
  return bytes;
}

/** Throws BadRequest unless the payload is a whole number of ids. */
export function decodeSync(payload: Buffer): number[] {
  if (payload.length % 8 !== 0) throw badRequest(`SyncConnections of ${payload.length} bytes is not a multiple of 8`);
  return Array.from({ length: payload.length / 8 }, (_, index) => Number(payload.readBigInt64LE(index * 8)));
}
