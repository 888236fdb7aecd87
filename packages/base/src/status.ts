/**
 * metav1.Status, both ways: what kubectl and client-go print and branch on. A Status answered by a kube-apiserver
 * becomes the same StatusError that our own code throws, so a proxied and a local refusal are one.
 */
import { type Reason, StatusError } from './errors.ts';

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, never>;
  readonly status: 'Failure' | 'Success';
  readonly message: string;
  readonly reason: Reason;
  readonly details?: Record<string, unknown>;
  readonly code: number;
}

/** Encodes an error as metav1.Status; an error without a status of its own says nothing but its id. */
export function toStatus(error: unknown, errorId?: string): Status {
  const known = error instanceof StatusError;
  const status = known ? error.status : 500;
  const details: Record<string, unknown> = {};
  if (known) {
    const { kind, name, field, retryAfterSeconds } = error.details;
    if (kind) details['kind'] = kind;
    if (name) details['name'] = name;
    if (retryAfterSeconds !== undefined) details['retryAfterSeconds'] = retryAfterSeconds;
    if (field) details['causes'] = [{ reason: 'FieldValueInvalid', message: error.message, field }];
  }
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: known ? error.message : `internal error${errorId ? ` (id ${errorId})` : ''}`,
    reason: known ? error.reason : 'InternalError',
    ...(Object.keys(details).length > 0 ? { details } : {}),
    code: status,
  };
}

const reasonsByCode: Readonly<Record<number, Reason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** Makes a StatusError of an answer's code and body; a body that is no Status gives its first 300 characters. */
export function parseStatus(code: number, body: string): StatusError {
  const fallback: Reason = reasonsByCode[code] ?? (code >= 500 ? 'InternalError' : 'BadRequest');
  try {
    const parsed = JSON.parse(body) as Partial<Status> & {
      details?: { kind?: string; name?: string; retryAfterSeconds?: number };
    };
    if (parsed.kind === 'Status') {
      return new StatusError(code, (parsed.reason || fallback) as Reason, parsed.message || `status ${code}`, {
        details: {
          kind: parsed.details?.kind,
          name: parsed.details?.name,
          retryAfterSeconds: parsed.details?.retryAfterSeconds,
        },
      });
    }
  } catch {
    // Not JSON: proxies and load balancers answer in HTML or plain text.
  }
  return new StatusError(code, fallback, body.trim().slice(0, 300) || `status ${code}`);
}
