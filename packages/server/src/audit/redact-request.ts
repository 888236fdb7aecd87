/**
 * Takes secrets out of the rest of a request: its address, its headers, and the choice of bodies that are not shown at all.
 * Paths and names are looked at decoded as well: an escape must not hide them.
 */
import { redactPath } from '../clusters/registration-token.ts';
import { isSecretName, redacted, redactQuery, redactText } from './redact.ts';

const maxUri = 8192;

/** The address with the tokens in its path and in its query taken out. */
export function redactUri(uri: string): string {
  const mark = uri.indexOf('?');
  const path = mark < 0 ? uri : uri.slice(0, mark);
  const search =
    mark < 0
      ? ''
      : `?${uri
          .slice(mark + 1)
          .split('&')
          .map(redactParameter)
          .join('&')}`;
  const shown = (plainPath.test(path) ? path : redactWholePath(path)) + search;
  return shown.length > maxUri ? `${shown.slice(0, maxUri)}…` : shown;
}

/** Nothing in it can be or hide a credential: what most paths are, told at a fraction of the cost. */
const plainPath = /^(?!.*(?:import|eyj))[\w/.~-]*$/i;

function redactWholePath(path: string): string {
  const decoded = decode(path);
  // An escape must not hide the one path that holds a token.
  const hides = decoded !== redactPath(decoded) && path === redactPath(path);
  return redactText(hides ? decoded : path);
}

/** What a provider sends a browser back with. */
const signInParameter = /^(?:code|samlresponse|samlrequest|id_token_hint)$/i;

function redactParameter(parameter: string): string {
  const named = redactQuery(`?${parameter}`).slice(1);
  const cut = named.indexOf('=');
  if (named !== parameter || cut < 0) return named;
  if (signInParameter.test(parameter.slice(0, cut))) return `${parameter.slice(0, cut)}=${redacted}`;
  const value = decode(parameter.slice(cut + 1));
  const shown = redactText(value);
  return shown === value ? parameter : `${parameter.slice(0, cut)}=${encodeURIComponent(shown)}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '));
  } catch {
    return text;
  }
}

const secretHeaders = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'set-cookie',
  'x-amz-security-token',
  'x-api-auth-header',
  'x-api-csrf',
  'x-api-set-cookie-header',
  'x-api-tunnel-params',
  'x-api-tunnel-token',
]);
const addresses = new Set(['location', 'content-location', 'referer', 'origin']);

/** Headers by lower-case name, each with all its values. */
export function redactHeaders(raw: Iterable<readonly [name: string, value: string]>): Record<string, string[]> {
  const shown: Record<string, string[]> = Object.create(null);
  for (const [given, value] of raw) {
    const name = given.toLowerCase();
    (shown[name] ??= []).push(redactHeader(name, value));
  }
  return shown;
}

function redactHeader(name: string, value: string): string {
  if (secretHeaders.has(name) || isSecretName(name)) return redacted;
  if (addresses.has(name)) return redactUri(value);
  // A browser shows a token as one of the protocols that it offers.
  if (name === 'sec-websocket-protocol')
    return value.replace(/(base64url\.bearer\.authorization\.k8s\.io\.)[^,\s]*/gi, '$1***');
  return redactText(value);
}

/** Where people sign in, or come back to from where they did. */
const signInPath = /^\/(?:v\d-(?:public|saml)|dashboard\/auth)(?:\/|$)/i;

/** Whole types that hold little but secrets; their bodies are not shown, whatever is in them. */
const secretTypes =
  /^(?:(?:namespaced)?(?:secret|dockercredential|certificate|basicauth|sshauth|serviceaccounttoken)s?|configmaps?|cloudcredentials?|tokenreviews?)$/;
const secretActions =
  /[?&]action=(?:generatekubeconfig|importyaml|exportyaml|composeconfig|login|changepassword|setpassword|configuretest|testandapply|testandenable)\b/i;

/**
 * Whether the bodies of a request to this address are left out whole: those about secrets, sign-ins, and what is said to
 * workloads through a cluster's proxy, which is theirs and may be anything.
 */
export function hidesBodies(path: string, search: string): boolean {
  if (secretActions.test(decode(search)) || signInPath.test(path)) return true;
  const parts = path.split('/').map(part => decode(part).toLowerCase());
  if (parts.some(part => secretTypes.test(part.slice(part.lastIndexOf('.') + 1)))) return true;
  if (parts.includes('serviceaccounts') && parts.at(-1) === 'token') return true;
  return /^k8s$/.test(parts[1] ?? '') && parts.slice(4).includes('proxy');
}
