/** Which texts tell of an error: by its status and code, never by the server's words. */
import { RequestError } from '../net/request.ts';

export function errorKey(error: unknown): string {
  if (!(error instanceof RequestError)) return 'Failed';
  if (error.status === 0) return 'Unreachable';
  if (error.code === 'ClusterUnavailable' || error.status === 503 || error.status === 502 || error.status === 504)
    return 'Unavailable';
  const byStatus: Readonly<Record<number, string>> = {
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    409: 'Conflict',
    422: 'Invalid',
    429: 'TooMany',
  };
  return byStatus[error.status] ?? 'Failed';
}
