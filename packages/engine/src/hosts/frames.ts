/** Messages on a stream between a server and the agent of a host: a kind, a length, a body. */
import type { Duplex } from 'node:stream';
import { badRequest } from '@drover/base';

export const kinds = { start: 1, stdin: 2, stdinEnd: 3, stdout: 4, stderr: 5, exit: 6, dial: 7, opened: 8 } as const;

export interface Frame {
  readonly kind: number;
  readonly body: Buffer;
}

const headBytes = 5;
const mostBody = 4 * 1024 * 1024;
const piece = 64 * 1024;

/** Resolves once the stream takes more. */
export async function writeFrame(stream: Duplex, kind: number, body: Uint8Array = Buffer.alloc(0)): Promise<void> {
  for (let at = 0; at === 0 || at < body.length; at += piece) {
    const part = body.subarray(at, at + (kind === kinds.start || kind === kinds.dial ? mostBody : piece));
    const head = Buffer.alloc(headBytes);
    head.writeUInt8(kind);
    head.writeUInt32BE(part.length, 1);
    await write(stream, Buffer.concat([head, part]));
    if (part.length === body.length) return;
  }
}

/** Of an answer or a question that is JSON. */
export const writeJson = (stream: Duplex, kind: number, value: unknown): Promise<void> =>
  writeFrame(stream, kind, Buffer.from(JSON.stringify(value)));

/** The next one; undefined at the end. What follows it stays in the stream. */
export async function readFrame(stream: Duplex): Promise<Frame | undefined> {
  const head = await take(stream, headBytes);
  if (!head) return undefined;
  const length = head.readUInt32BE(1);
  if (length > mostBody) throw badRequest(`a message of ${length} bytes is longer than ${mostBody}`);
  const body = length === 0 ? Buffer.alloc(0) : await take(stream, length);
  return body && { kind: head.readUInt8(), body };
}

function write(stream: Duplex, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, error => (error ? reject(error) : resolve()));
  });
}

function take(stream: Duplex, length: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const over = (done: () => void) => {
      stream.off('readable', look).off('end', onEnd).off('close', onEnd).off('error', onError);
      done();
    };
    const look = () => {
      const found = stream.read(length) as Buffer | null;
      if (found) over(() => resolve(found.length === length ? found : undefined));
    };
    const onEnd = () => over(() => resolve(undefined));
    const onError = (error: Error) => over(() => reject(error));
    if (stream.readableEnded || stream.destroyed) {
      resolve(undefined);
      return;
    }
    stream.on('readable', look).on('end', onEnd).on('close', onEnd).on('error', onError);
    look();
  });
}
