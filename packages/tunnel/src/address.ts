/**
 * What a Connect or AddClient message says, as text: `proto/address`, `clientKey::proto/address`, `clientKey/sessionKey`.
 * Surprise: readers cut what is too long without a word, so a limit is kept on the writing side.
 */
import { type Address, badRequest, invalid } from '@drover/base';
import { oldestTextLimit } from './message.ts';

/** What is to be dialled at the far end, in Go's words: `tcp` and `host:port`, or `unix` and a path. */
export interface Target {
  readonly proto: string;
  readonly address: string;
}

/** The most that our own reader takes of a Connect; others read 266 (since v0.5.0) or 100 bytes. */
export const connectLimit = 1024;

export function targetOf(address: Address): Target {
  if (address.network === 'unix') return { proto: 'unix', address: address.host };
  const host = address.host.includes(':') && !address.host.startsWith('[') ? `[${address.host}]` : address.host;
  return { proto: 'tcp', address: `${host}:${address.port}` };
}

/** The payload of a Connect; Invalid when the far end would cut it. A foreign end gets no more than the oldest takes. */
export function encodeTarget(target: Target, foreign: boolean): Buffer {
  const bytes = Buffer.from(`${target.proto}/${target.address}`);
  const limit = foreign ? oldestTextLimit : connectLimit;
  if (bytes.length > limit) throw invalid('address', `needs to be at most ${limit} bytes long with its protocol`);
  return bytes;
}

/** Throws BadRequest when there is no protocol before a slash, as every reader does. */
export function decodeTarget(payload: Buffer): Target {
  const text = payload.subarray(0, connectLimit).toString();
  const slash = text.indexOf('/');
  if (slash < 0) throw badRequest('Connect message has no "/" between protocol and address');
  return { proto: text.slice(0, slash), address: text.slice(slash + 1) };
}

/** `10.0.0.1:443` or `[::1]:443` back into host and port; Invalid where there is no port. */
export function addressOf(target: Target): Address {
  if (target.proto === 'unix') return { network: 'unix', host: target.address, port: 0 };
  const colon = target.address.lastIndexOf(':');
  const port = Number(target.address.slice(colon + 1));
  const host = target.address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  if (colon < 1 || !Number.isInteger(port) || port < 1 || port > 65_535 || host === '')
    throw invalid('address', `"${target.address}" needs to be host:port`);
  return { network: 'tcp', host, port };
}

/** Client keys travel inside other text, so the separators are not allowed in them. */
export function checkClientKey(clientKey: string): string {
  const fits = Buffer.byteLength(clientKey) <= 80;
  if (clientKey === '' || clientKey.includes('/') || clientKey.includes('::') || !fits)
    throw invalid('clientKey', 'needs 1 to 80 bytes without "/" and "::"');
  return clientKey;
}

export interface Advertised {
  readonly clientKey: string;
  readonly sessionKey: string;
}

/** AddClient's and RemoveClient's payload taken apart; BadRequest when it is not `key/number`. */
export function decodeAdvertised(payload: Buffer): Advertised {
  const match = /^([^/]+)\/(\d{1,20})$/.exec(payload.subarray(0, oldestTextLimit).toString());
  if (!match) throw badRequest('AddClient message needs to be clientKey/sessionKey');
  return { clientKey: match[1]!, sessionKey: match[2]! };
}
