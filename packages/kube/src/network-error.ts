/**
 * Failures below HTTP, told so that a person can act on them: what was dialled, and for TLS what does not fit.
 */
import { messageOf, StatusError, timedOut, unavailable } from '@drover/base';

const explanations: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its host name is not known to DNS',
  EAI_AGAIN: 'its host name could not be looked up: DNS does not answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  UND_ERR_SOCKET: 'it closed the connection',
  UND_ERR_CLOSED: 'this client is closed',
  UND_ERR_DESTROYED: 'this client is closed',
  CERT_HAS_EXPIRED: "its certificate has expired (or this machine's clock is wrong)",
  CERT_NOT_YET_VALID: "its certificate is not valid yet (or this machine's clock is wrong)",
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is made out to another name',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by the certificate authority given',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is not signed by the certificate authority given',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not signed by the certificate authority given',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an authority that is not trusted here',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed and not the one trusted here',
  CERT_SIGNATURE_FAILURE: 'its certificate carries the name but not the signature of the authority given',
  EPROTO: 'it does not speak TLS there',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS there',
};

/** ServiceUnavailable (or Timeout) naming the server and the likely cause; a StatusError passes through as it is. */
export function networkError(server: string, error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  const code = codeOf(error);
  if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') {
    return timedOut(`${server} does not answer: the connection timed out`, error);
  }
  const why = code === undefined ? undefined : explanations[code];
  return unavailable(why ? `${server}: ${why} (${messageOf(error)})` : `${server}: ${messageOf(error)}`, {
    cause: error,
  });
}

/** True where the server closed a kept-alive connection before it took the request: safe to send a read again. */
export function isStaleConnection(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return codeOf(error.cause);
}
