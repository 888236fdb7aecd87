/** Network failures in words: what was tried, what went wrong, and what to do about it. */
import { messageOf, StatusError } from '@drover/base';

const explanations: Readonly<Record<string, (host: string) => string>> = {
  ECONNREFUSED: host => `nothing answers at ${host}, where the server should be`,
  ENOTFOUND: host => `the name in ${host} is not known to DNS: check the address`,
  EAI_AGAIN: host => `DNS did not answer for ${host}: check this machine's network`,
  ETIMEDOUT: host => `${host} did not answer in time: a firewall may be in between`,
  UND_ERR_CONNECT_TIMEOUT: host => `${host} did not answer in time: a firewall may be in between`,
  UND_ERR_HEADERS_TIMEOUT: host => `${host} took the request but did not answer in time`,
  ECONNRESET: host => `${host} cut the connection`,
  UND_ERR_SOCKET: host => `${host} cut the connection`,
  EHOSTUNREACH: host => `there is no route to ${host}`,
  CERT_HAS_EXPIRED: host => `the certificate of ${host} has expired`,
  CERT_NOT_YET_VALID: host => `the certificate of ${host} is not valid yet by this machine's clock`,
  ERR_TLS_CERT_ALTNAME_INVALID: host =>
    `the certificate of ${host} is for other names; use one of its names or set --server-url on the server`,
  DEPTH_ZERO_SELF_SIGNED_CERT: host =>
    `the certificate of ${host} is not trusted; sign in with its fingerprint: drover login ${host}`,
  SELF_SIGNED_CERT_IN_CHAIN: host =>
    `the CA of ${host} is not trusted; sign in with its fingerprint: drover login ${host}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: host =>
    `the certificate of ${host} is not trusted; sign in again: drover login ${host}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: host => `the CA of ${host} is not trusted; sign in again: drover login ${host}`,
  CERT_SIGNATURE_FAILURE: host =>
    `the certificate of ${host} is not signed by the CA you trusted; if the server was made anew: drover login ${host}`,
  EPROTO: host => `${host} does not speak TLS on that port`,
};

/** The error's code, looked for down its causes. */
export function codeOf(error: unknown): string | undefined {
  for (
    let seen: unknown = error;
    seen instanceof Error;
    seen = seen instanceof AggregateError ? seen.errors[0] : seen.cause
  ) {
    const { code } = seen as NodeJS.ErrnoException;
    if (typeof code === 'string') return code.startsWith('ERR_SSL') ? 'EPROTO' : code;
  }
  return undefined;
}

/** One sentence about why the server could not be reached. */
export function explainNetwork(url: string, error: unknown): string {
  // What a proxy on the way said is no fault of the server's.
  if (error instanceof StatusError) return messageOf(error);
  const code = codeOf(error);
  return (code && explanations[code]?.(url)) || `can't reach ${url}: ${messageOf(error)}`;
}

/** The same for a code alone. */
export function explainCode(url: string, code: string): string {
  return explanations[code]?.(url) ?? `the certificate of ${url} is not trusted: ${code}`;
}
