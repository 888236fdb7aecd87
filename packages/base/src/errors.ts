/**
 * The one error class of the house: a status code, a Kubernetes reason and a message a person can act on.
 * Whatever is thrown that is not a StatusError is a bug and is answered with 500 and an id at the edge.
 */

/** Kubernetes' vocabulary (metav1.StatusReason), plus MethodNotAllowed's and TooManyRequests' kin. */
export type Reason =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Expired'
  | 'Invalid'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'TooManyRequests'
  | 'InternalError'
  | 'ServiceUnavailable'
  | 'Timeout';

export interface ErrorDetails {
  readonly kind?: string;
  readonly name?: string;
  readonly field?: string;
  /** v3's own code where it is finer than the reason, e.g. MissingRequired or NotUnique. */
  readonly code?: string;
  readonly retryAfterSeconds?: number;
}

/** A refusal or failure with a meaning; `reason` decides, `message` explains. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: number;
  readonly reason: Reason;
  readonly details: ErrorDetails;

  constructor(
    status: number,
    reason: Reason,
    message: string,
    options: { details?: ErrorDetails; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.reason = reason;
    this.details = options.details ?? {};
  }
}

export function badRequest(message: string, cause?: unknown): StatusError {
  return new StatusError(400, 'BadRequest', message, { cause });
}

export function unauthorized(message = 'must authenticate', details: ErrorDetails = {}): StatusError {
  return new StatusError(401, 'Unauthorized', message, { details });
}

export function forbidden(message: string, details: ErrorDetails = {}): StatusError {
  return new StatusError(403, 'Forbidden', message, { details });
}

export function notFound(kind: string, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${kind} "${name}" not found`, { details: { kind, name } });
}

export function methodNotAllowed(method: string, what: string): StatusError {
  return new StatusError(405, 'MethodNotAllowed', `${method} is not supported on ${what}`);
}

export function alreadyExists(kind: string, name: string): StatusError {
  return new StatusError(409, 'AlreadyExists', `${kind} "${name}" already exists`, { details: { kind, name } });
}

/** The object changed since it was read: read it again and retry. */
export function conflict(
  kind: string,
  name: string,
  message = 'the object has been modified; read it again',
): StatusError {
  return new StatusError(409, 'Conflict', `${kind} "${name}": ${message}`, { details: { kind, name } });
}

/** The revision asked for is no longer kept (compacted, or of another store epoch): list again. */
export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', message);
}

/** A value that can't be accepted: `field` is its path, `message` says what would be right. `code` is v3's finer word. */
export function invalid(field: string, message: string, code?: string): StatusError {
  return new StatusError(422, 'Invalid', `${field}: ${message}`, { details: code ? { field, code } : { field } });
}

export function tooLarge(message: string): StatusError {
  return new StatusError(413, 'RequestEntityTooLarge', message);
}

export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError(429, 'TooManyRequests', message, { details: { retryAfterSeconds } });
}

export function internal(message: string, cause?: unknown): StatusError {
  return new StatusError(500, 'InternalError', message, { cause });
}

/** Something that should be there is away for now; `retryAfterSeconds` says when to ask again. */
export function unavailable(
  message: string,
  options: { cause?: unknown; retryAfterSeconds?: number } = {},
): StatusError {
  const details = options.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: options.retryAfterSeconds };
  return new StatusError(503, 'ServiceUnavailable', message, { cause: options.cause, details });
}

export function timedOut(message: string, cause?: unknown): StatusError {
  return new StatusError(504, 'Timeout', message, { cause });
}

export function hasReason(error: unknown, ...reasons: Reason[]): error is StatusError {
  return error instanceof StatusError && reasons.includes(error.reason);
}

export const isNotFound = (error: unknown): error is StatusError => hasReason(error, 'NotFound');
export const isAlreadyExists = (error: unknown): error is StatusError => hasReason(error, 'AlreadyExists');
export const isConflict = (error: unknown): error is StatusError => hasReason(error, 'Conflict');
export const isExpired = (error: unknown): error is StatusError => hasReason(error, 'Expired', 'Gone');
export const isUnavailable = (error: unknown): error is StatusError =>
  hasReason(error, 'ServiceUnavailable', 'Timeout');

/** Resolves to undefined where the promise rejects with AlreadyExists; every other rejection passes. */
export async function ignoreExists<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}

/** Resolves to undefined where the promise rejects with NotFound; every other rejection passes. */
export async function ignoreNotFound<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const terminalErrors = new WeakSet<Error>();

/** Marks an error as not worth a retry: a controller records it and waits until the resource changes. */
export function terminal<E extends Error>(error: E): E {
  terminalErrors.add(error);
  return error;
}

export function isTerminal(error: unknown): boolean {
  return error instanceof Error && terminalErrors.has(error);
}

/** The message of anything thrown, with its causes, on one line: "a: b: c". */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message || error.name;
  const inner = error instanceof AggregateError && !error.message ? error.errors[0] : error.cause;
  if (inner === undefined) return own;
  const cause = messageOf(inner);
  return own.includes(cause) ? own : `${own}: ${cause}`;
}
