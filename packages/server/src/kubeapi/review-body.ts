/**
 * The body of a SelfSubjectAccessReview: kubectl sends it in Kubernetes' protobuf form, other clients as JSON. Of the
 * former only what is needed here is read: who may what is a handful of strings.
 */
import type { IncomingMessage } from 'node:http';
import { badRequest, messageOf, timedOut, tooLarge } from '@drover/base';
import type { SentReview } from './reviews.ts';
import type { Json } from './shape.ts';

const maxBytes = 64 * 1024;
const maxMs = 10_000;
const magic = Buffer.from('k8s\0', 'latin1');

/** The review, and the bytes that it came as. Throws BadRequest for what can't be read, TooLarge, Timeout. */
export async function readReview(
  request: IncomingMessage,
): Promise<{ readonly body: unknown; readonly sent: SentReview }> {
  const timer = setTimeout(() => request.destroy(timedOut('the body did not arrive in time')), maxMs);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(`a review must not be larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  const bytes = Buffer.concat(chunks);
  const contentType = request.headers['content-type'] ?? 'application/json';
  return { body: parseReview(bytes), sent: { body: bytes, contentType } };
}

export function parseReview(bytes: Buffer): unknown {
  try {
    if (!bytes.subarray(0, 4).equals(magic)) return JSON.parse(bytes.toString('utf8'));
    const review = fieldsOf(fieldsOf(bytes.subarray(4)).get(2));
    const attributes = fieldsOf(fieldsOf(review.get(2)).get(1));
    const names = ['namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name'];
    const asked: Json = {};
    names.forEach((name, index) => {
      const value = attributes.get(index + 1);
      if (value?.length) asked[name] = value.toString('utf8');
    });
    const spec = attributes.size > 0 ? { resourceAttributes: asked } : {};
    return { kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', metadata: {}, spec };
  } catch (error) {
    throw badRequest(`the review can't be read: ${messageOf(error)}`);
  }
}

/** The fields of a message that hold bytes, by number; the last one of each. */
function fieldsOf(message: Buffer | undefined): Map<number, Buffer> {
  const out = new Map<number, Buffer>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = message![at++];
      if (byte === undefined) throw badRequest('it ends too early');
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw badRequest('a number in it is too long');
  };
  while (message && at < message.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) varint();
    else if (wire === 2) {
      const length = varint();
      if (at + length > message.length) throw badRequest('it ends too early');
      out.set(tag >>> 3, message.subarray(at, at + length));
      at += length;
    } else throw badRequest('it holds a field of an unknown form');
  }
  return out;
}
