/** How `/v1` answers: JSON, YAML or JSON lines, in parts and at the reader's pace, compressed where he takes that; and its errors. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { messageOf, StatusError } from '@drover/base';
import type { Exchange } from '../http/exchange.ts';
import { sendBytes } from '../http/send-bytes.ts';
import { gzipped, takesGzip } from '../http/zip.ts';

export type Format = 'json' | 'yaml' | 'jsonl';

/** The original's pages for browsers are not made here: whoever asks for one gets the data. */
export function formatOf({ request, query }: Exchange): Format {
  const asked = query.get('_format');
  if (asked === 'json' || asked === 'yaml' || asked === 'jsonl') return asked;
  const { accept = '' } = request.headers;
  if (accept.includes('application/json')) return 'json';
  if (accept.includes('application/yaml')) return 'yaml';
  return accept.includes('application/jsonl') ? 'jsonl' : 'json';
}

/** Less than this is sent in one piece. */
const wholeBelow = 256 << 10;

const contentTypes = { json: 'application/json', yaml: 'application/yaml', jsonl: 'application/jsonl' } as const;

/** Sends the JSON whose parts these are. */
export async function sendParts(exchange: Exchange, status: number, parts: readonly string[]): Promise<void> {
  const { request, response } = exchange;
  if (parts.length === 1 || parts.reduce((length, part) => length + part.length, 0) < wholeBelow)
    return sendWhole(exchange, status, Buffer.from(await textOf(parts, formatOf(exchange))));
  const format = formatOf(exchange);
  const sent = format === 'yaml' ? [await yamlOf(parts)] : parts;
  setHeaders(response, format);
  const zipped = takesGzip(request);
  if (zipped) response.setHeader('content-encoding', 'gzip');
  response.writeHead(status);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const source = Readable.from(sent.map(part => Buffer.from(part)));
  try {
    if (zipped) await pipeline(source, createGzip({ level: constants.Z_BEST_SPEED }), response);
    else await pipeline(source, response);
  } catch (error) {
    // A reader who has gone needs no answer.
    if (!response.destroyed && !response.closed) throw error;
  }
}

/** A body that is one piece; `zip` gives it compressed where that was done before. */
export async function sendWhole(
  exchange: Exchange,
  status: number,
  body: Buffer,
  zip: (body: Buffer) => Promise<Buffer> = gzipped,
): Promise<void> {
  const { request, response } = exchange;
  const zipped = takesGzip(request);
  const bytes = zipped ? await zip(body) : body;
  setHeaders(response, formatOf(exchange));
  if (zipped) response.setHeader('content-encoding', 'gzip');
  response.setHeader('content-length', bytes.length);
  response.writeHead(status);
  if (request.method === 'HEAD') response.end();
  else await sendBytes(response, bytes);
}

function setHeaders(response: ServerResponse, format: Format): void {
  response.setHeader('content-type', contentTypes[format]);
  response.setHeader('vary', 'accept, accept-encoding');
}

async function textOf(parts: readonly string[], format: Format): Promise<string> {
  return format === 'yaml' ? yamlOf(parts) : parts.length === 1 ? parts[0]! : parts.join('');
}

async function yamlOf(parts: readonly string[]): Promise<string> {
  return (await import('yaml')).stringify(JSON.parse(parts.join('')));
}

const codes: Readonly<Record<string, string>> = {
  InternalError: 'ServerError',
  ServiceUnavailable: 'ClusterUnavailable',
  Invalid: 'Invalid',
};

/** An error as clients of `/v1` read it: a refusal of the cluster keeps its own reason. Undefined for what is no refusal but a bug. */
export function errorBody(error: unknown): object | undefined {
  if (!(error instanceof StatusError)) return undefined;
  const { status, reason, message, details } = error;
  return {
    type: 'error',
    links: {},
    status,
    code: details.code ?? codes[reason] ?? reason,
    message: status >= 500 ? messageOf(error) : message,
    ...(details.field ? { fieldName: details.field } : {}),
  };
}
