/**
 * Errors at the edge: v3's form, or Kubernetes' Status. Whatever is no StatusError is a bug: it is answered with an id,
 * and logged once, whole, under the same id.
 */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Log, StatusError, toStatus } from '@drover/base';

export interface NormanError {
  readonly type: 'error';
  readonly baseType?: 'error';
  readonly status: number | string;
  readonly code?: string;
  readonly message: string;
  readonly fieldName?: string;
}

/** v3's codes for our reasons, where a finer one was not given: `details.code` wins. */
const codes: Readonly<Record<string, string>> = {
  Forbidden: 'PermissionDenied',
  Invalid: 'InvalidFormat',
  MethodNotAllowed: 'MethodNotAllow',
  InternalError: 'ServerError',
  ServiceUnavailable: 'ClusterUnavailable',
};

/** The error as v3's clients read it; `errorId` shows only where the error has no meaning of its own. */
export function toNormanError(error: unknown, errorId: string): NormanError {
  if (!(error instanceof StatusError)) {
    return {
      type: 'error',
      baseType: 'error',
      status: 500,
      code: 'ServerError',
      message: `internal error (id ${errorId})`,
    };
  }
  if (error.reason === 'Unauthorized' && error.message === 'must authenticate') {
    // The one answer of this API whose status is a string; clients have come to know it so.
    return { type: 'error', status: '401', message: `Unauthorized 401: ${error.message}` };
  }
  const { code = codes[error.reason] ?? error.reason, field } = error.details;
  const message =
    field && error.message.startsWith(`${field}: `) ? error.message.slice(field.length + 2) : error.message;
  return {
    type: 'error',
    baseType: 'error',
    status: error.status,
    code,
    message,
    ...(field ? { fieldName: field } : {}),
  };
}

/** An answer for people. */
export interface Page {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ErrorContext {
  readonly id: string;
  readonly form: 'norman' | 'status';
  readonly log: Log;
  /** The error as a page, where the request asks for one. */
  readonly page?: (error: NormanError) => Page | undefined;
}

function encode(
  error: unknown,
  { id, form, log, page }: ErrorContext,
): { status: number; text: string; headers?: Page['headers']; retryAfter?: number } {
  if (!(error instanceof StatusError)) log.error({ err: error, id }, 'a request failed in a way it should not');
  const status = error instanceof StatusError ? error.status : 500;
  const retryAfter = error instanceof StatusError ? error.details.retryAfterSeconds : undefined;
  if (form === 'status') return { status, text: JSON.stringify(toStatus(error, id)), retryAfter };
  const body = toNormanError(error, id);
  return { status, retryAfter, ...(page?.(body) ?? { text: JSON.stringify(body) }) };
}

/** Answers the error, or cuts the connection where an answer has begun: half an answer must not look whole. */
export function answerError(response: ServerResponse, error: unknown, context: ErrorContext): void {
  const { status, text, headers, retryAfter } = encode(error, context);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) if (name.startsWith('content-')) response.removeHeader(name);
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
  // A body that nobody will read must not be taken for the next request.
  if (!response.req.complete) response.setHeader('connection', 'close');
  response.writeHead(status, {
    ...(headers ?? { 'content-type': 'application/json' }),
    'content-length': Buffer.byteLength(text),
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

/** Refuses an upgrade on its raw socket. */
export function refuseUpgrade(socket: Duplex, error: unknown, context: ErrorContext): void {
  const { status, text } = encode(error, context);
  socket.on('error', () => socket.destroy());
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}
