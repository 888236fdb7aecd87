/** Protocol Buffers as far as Kubernetes' lists and watches need them here: fields are found and put together again, and no more is read. */
import { badRequest } from '@drover/base';

export interface Field {
  readonly number: number;
  /** The field whole, with its tag. */
  readonly whole: Uint8Array;
  /** What it holds, where it is text, bytes or a message; empty for numbers. */
  readonly value: Uint8Array;
}

/** The fields of a message, in order. Throws BadRequest for what is none. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) break;
      // Numbers beyond 2^53 are skipped here, never used.
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw broken();
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    let value: Uint8Array = nothing;
    switch (tag & 7) {
      case 0:
        varint();
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const length = varint();
        value = message.subarray(at, at + length);
        if (value.length !== length) throw broken();
        at += length;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        throw broken();
    }
    if (at > message.length) throw broken();
    yield { number: Math.floor(tag / 8), whole: message.subarray(start, at), value };
  }
}

/** The first field of that number that holds text, bytes or a message. */
export function fieldOf(message: Uint8Array, number: number): Uint8Array | undefined {
  for (const field of fieldsOf(message)) if (field.number === number) return field.value;
  return undefined;
}

export const textOf = (value: Uint8Array | undefined): string => Buffer.from(value ?? nothing).toString('utf8');

/** A field of that number that holds bytes. */
export function makeField(number: number, value: Uint8Array | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([varintOf(number * 8 + 2), varintOf(bytes.length), bytes]);
}

function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

const nothing = new Uint8Array(0);
const broken = () => badRequest('what the cluster answered is no protocol buffer');
