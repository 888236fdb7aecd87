/** What etcd answers, in the house's words. The texts are etcd's own (api/v3rpc/rpctypes/error.go), the same in 3.4 and 3.6. */

import {
  expired,
  forbidden,
  internal,
  invalid,
  notFound,
  timedOut,
  tooLarge,
  unauthorized,
  unavailable,
} from '@drover/base';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

/** etcd says that it did not take the request up, so that even a write may be sent again. */
export function wasNotTaken(error: ServiceError): boolean {
  if (error.code === status.UNAVAILABLE)
    return /no leader|not leader|name resolution|No connection established/i.test(error.details);
  return error.code === status.RESOURCE_EXHAUSTED && error.details.includes('too many requests');
}

const staleSignIn = /revision in header is old|user name is empty/;

/** The token has run out, or the users were changed: sign in again and repeat. */
export function needsSignIn(error: ServiceError): boolean {
  return (
    error.code === status.UNAUTHENTICATED || (error.code === status.INVALID_ARGUMENT && staleSignIn.test(error.details))
  );
}

/** Whether the reason for which etcd ended a watch is one of those: a stream is not refused like a call, it has no code. */
export function endedBySignIn(reason: string): boolean {
  return /invalid auth token/.test(reason) || staleSignIn.test(reason);
}

/** What a call would have been refused with. */
export function tokenRefused(details: string): ServiceError {
  return Object.assign(new Error(details), { code: status.UNAUTHENTICATED, details, metadata: new Metadata() });
}

/** Another endpoint may do better. */
export function isAway(error: ServiceError): boolean {
  return (
    error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED || error.code === status.CANCELLED
  );
}

export function etcdError(error: unknown): unknown {
  if (!isServiceError(error)) return error;
  const { code, details } = error;
  const message = `etcd: ${details}`;
  if (code === status.OUT_OF_RANGE) return expired(`${message}; list again`);
  if (code === status.RESOURCE_EXHAUSTED && details.includes('database space exceeded'))
    return unavailable(
      'etcd: its space quota is used up; nothing was written (compact, defragment and disarm the alarm)',
      {
        cause: error,
      },
    );
  if (code === status.INVALID_ARGUMENT && details.includes('too many operations')) return invalid('ops', message);
  if (code === status.INVALID_ARGUMENT && details.includes('request is too large')) return tooLarge(message);
  switch (code) {
    case status.NOT_FOUND:
      return notFound('etcd', details);
    case status.UNAVAILABLE:
    case status.RESOURCE_EXHAUSTED:
    case status.CANCELLED:
      return unavailable(message, { cause: error });
    case status.DEADLINE_EXCEEDED:
      return timedOut(message, error);
    case status.UNAUTHENTICATED:
      return unauthorized(message);
    case status.PERMISSION_DENIED:
      return forbidden(message);
    case status.INVALID_ARGUMENT:
    case status.FAILED_PRECONDITION:
      return invalid('--store', message);
    default:
      return internal(message, error);
  }
}
