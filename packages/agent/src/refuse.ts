/** Refusals as a Kubernetes Status, to a request or written to the raw stream. */
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Log, messageOf, StatusError, toStatus } from '@drover/base';

export function answerError(response: ServerResponse, error: unknown, log: Log): void {
  const body = encode(error, log);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(body.status, { 'Content-Type': 'application/json', 'Content-Length': body.text.length });
  response.end(body.text);
}

/** Writes the whole answer to the stream and ends it. */
export function refuseStream(stream: Duplex, error: unknown, log: Log): void {
  const body = encode(error, log);
  if (!stream.writable) {
    stream.destroy();
    return;
  }
  stream.end(
    `HTTP/1.1 ${body.status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${body.text.length}\r\n` +
      `Connection: close\r\n\r\n${body.text.toString('utf8')}`,
  );
}

function encode(error: unknown, log: Log): { readonly status: number; readonly text: Buffer } {
  if (!(error instanceof StatusError)) log.error({ err: error }, 'a request failed in a way nobody thought of');
  else if (error.status >= 500) log.warn({ reason: messageOf(error) }, 'the cluster’s API server could not be asked');
  const status = toStatus(error);
  return { status: status.code, text: Buffer.from(JSON.stringify(status)) };
}
