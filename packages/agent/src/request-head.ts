/**
 * The head of a request in the plain form that our servers write. Anything out of the ordinary is left to Node's parser:
 * what is taken here is written anew from its parts, so nobody after us can read it another way than we did.
 */
import { isHopByHop } from '@drover/kube';

export interface RequestHead {
  /** Method and target, as the first line has them. */
  readonly asks: string;
  /** A read, which may be asked again. */
  readonly isRead: boolean;
  /** Names and values in turn, without framing, Connection, Host and credentials. */
  readonly headers: string[];
  /** Content-Length; undefined where no body follows. */
  readonly bodyBytes: number | undefined;
  /** Bytes that the head takes in what came. */
  readonly size: number;
}

const mostBytes = 65_536;
const end = Buffer.from('\r\n\r\n');
/** RFC 9112 without its old forms: no folded lines, no bare line ends, no space before the colon, no absolute targets. */
const plainHead =
  /^(?!CONNECT )[A-Z]{1,20} \/[\x21-\x7e]* HTTP\/1\.1(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*)*$/;
const outerSpace = /^[\t ]+|[\t ]+$/g;
/** The server's own credentials are nothing for the cluster. */
const dropped = new Set(['authorization', 'cookie', 'host']);

/** The head that the bytes begin with; undefined where it is not all there, or not plain. */
export function parsePlainHead(bytes: Buffer): RequestHead | undefined {
  const length = bytes.indexOf(end);
  if (length < 0 || length > mostBytes) return undefined;
  const text = bytes.toString('latin1', 0, length);
  if (!plainHead.test(text)) return undefined;
  const lines = text.split('\r\n');
  const headers: string[] = [];
  let bodyBytes: number | undefined;
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(outerSpace, '');
    const lower = name.toLowerCase();
    if (lower === 'content-length') {
      if (bodyBytes !== undefined || !/^\d{1,15}$/.test(value)) return undefined;
      bodyBytes = Number(value);
    } else if (lower === 'connection') {
      if (value.toLowerCase() !== 'keep-alive') return undefined;
    } else if (isHopByHop(lower)) return undefined;
    else if (!dropped.has(lower)) headers.push(name, value);
  }
  const asks = lines[0]!.slice(0, -' HTTP/1.1'.length);
  return { asks, isRead: /^(?:GET|HEAD) /.test(asks), headers, bodyBytes, size: length + end.length };
}
