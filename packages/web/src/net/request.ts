/**
 * Requests to the server that the page came from, signed in by its cookie. A refusal becomes a RequestError with the server's own
 * code, message and field, whichever of its two forms of error it came in.
 */

export class RequestError extends Error {
  readonly status: number;
  /** v3's code or Kubernetes' reason; texts are chosen by it. */
  readonly code: string;
  readonly field?: string;

  constructor(status: number, { code, message, field }: { code: string; message: string; field?: string }) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

export interface RequestOptions {
  readonly method?: string;
  readonly body?: unknown;
  /** Sent as it is, for bodies that are no JSON. */
  readonly text?: string;
  /** Sent as they are: a piece of a file. */
  readonly blob?: Blob;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

/** What to do when the session has ended; the frame sets it. */
export const session = { ended: (): void => undefined };

export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const {
    method = 'GET',
    body,
    text,
    blob,
    contentType = 'application/json',
    accept = 'application/json',
    signal,
  } = options;
  const payload = blob ?? text ?? (body === undefined ? undefined : JSON.stringify(body));
  const headers: Record<string, string> = { accept };
  if (payload !== undefined) headers['content-type'] = contentType;
  const csrf = readCookie('CSRF');
  if (method !== 'GET' && csrf) headers['x-api-csrf'] = csrf;
  let answer: Response;
  try {
    answer = await fetch(path, { method, headers, body: payload, signal, credentials: 'same-origin' });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new RequestError(0, { code: 'Unreachable', message: String(cause) });
  }
  if (answer.ok) return answer;
  const error = await errorOf(answer);
  // Where a password is asked for, 401 is about that one.
  if (error.status === 401 && !/^\/(?:v3-public\/|v1-public\/|v1-second-factor\?)/.test(path)) session.ended();
  throw error;
}

/** The JSON that is answered; undefined where there is none. */
export async function ask<T>(path: string, options?: RequestOptions): Promise<T> {
  const answer = await send(path, options);
  const text = await answer.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

const mostTries = 3;

/** Whether a request that failed so often is made again: not where another try can't change anything. */
export const isTriedAgain = (count: number, error: unknown): boolean => {
  const isFinal = error instanceof RequestError && error.status >= 400 && error.status < 500 && error.status !== 429;
  return count < mostTries && !isFinal;
};

/** The server, or the cluster behind it, can't be reached just now. */
export const isAway = (error: unknown): boolean =>
  error instanceof RequestError && [0, 502, 503, 504].includes(error.status);

/** The password was right, and a code is needed too. */
export const secondFactor = 'SecondFactorRequired';

async function errorOf(answer: Response): Promise<RequestError> {
  const text = await answer.text().catch(() => '');
  let found: Record<string, unknown> = {};
  try {
    found = JSON.parse(text) as Record<string, unknown>;
  } catch {
    found = { message: text.slice(0, 500) };
  }
  const code = String(found['reason'] ?? found['code'] ?? answer.statusText);
  const field = found['fieldName'];
  return new RequestError(answer.status, {
    code: answer.status === 401 && code !== secondFactor ? 'Unauthorized' : code,
    message: String(found['message'] ?? answer.statusText),
    ...(typeof field === 'string' ? { field } : {}),
  });
}

function readCookie(name: string): string | undefined {
  for (const part of document.cookie.split('; ')) if (part.startsWith(`${name}=`)) return part.slice(name.length + 1);
  return undefined;
}
