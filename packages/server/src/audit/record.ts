/**
 * The audit record: what one line of the log holds, under the names that readers of such logs know. Made after the request
 * is over; everything that could hold a secret goes through redaction here and nowhere else.
 */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import type { Caller } from '../http/exchange.ts';
import { type Capture, type Head, rawPairs } from './capture.ts';
import { noteOf } from './notes.ts';
import { redacted, redactJson } from './redact.ts';
import { redactHeaders, redactUri } from './redact-request.ts';

export type AuditLevel = 0 | 1 | 2 | 3;

/** Long requests are told twice, under one id: when the answer begins and when it has ended. */
export type Stage = 'ResponseStarted' | 'ResponseComplete';

/** What was seen of a request. */
export interface Seen {
  readonly auditId: string;
  readonly level: AuditLevel;
  readonly request: IncomingMessage;
  readonly remoteAddress: string;
  readonly startedMs: number;
  /** Neither body is told. */
  readonly hidden: boolean;
  caller: Caller | undefined;
  status: number;
  head?: Head;
  requestBody?: Capture;
  responseBody?: Capture;
}

export interface Ending {
  readonly stage: Stage;
  readonly atMs: number;
  /** The client went, or was cut off, before the answer was whole. */
  readonly broken?: boolean;
}

const maxClaims = 32;
const maxName = 256;

/** One line of the log, without its end. */
export async function recordLine(seen: Seen, ending: Ending): Promise<string> {
  const { request, level } = seen;
  const note = noteOf(request);
  const complete = ending.stage === 'ResponseComplete';
  const tokenName = seen.caller?.tokenId ?? note.tokenName;
  const loginName = seen.caller?.username ?? note.loginName;
  return JSON.stringify({
    auditID: seen.auditId,
    stage: ending.stage,
    requestURI: redactUri(request.url ?? ''),
    user: userOf(seen),
    ...(loginName === undefined ? {} : { userLoginName: loginName.slice(0, maxName) }),
    ...(tokenName === undefined ? {} : { tokenName }),
    ...(note.clusterId === undefined ? {} : { cluster: note.clusterId }),
    ...(note.decidedBy === undefined ? {} : { decidedBy: note.decidedBy }),
    method: request.method,
    remoteAddr: seen.remoteAddress,
    ...(request.headers.upgrade === undefined ? {} : { upgrade: request.headers.upgrade.slice(0, 64) }),
    responseCode: note.refused ?? seen.status,
    ...(ending.broken ? { brokenOff: true } : {}),
    requestTimestamp: new Date(seen.startedMs).toISOString(),
    responseTimestamp: new Date(ending.atMs).toISOString(),
    ...(level >= 1 ? { requestHeader: redactHeaders(rawPairs(request.rawHeaders)) } : {}),
    ...(level >= 1 && seen.head ? { responseHeader: redactHeaders(seen.head.headers) } : {}),
    ...(complete && level >= 2 && hasBody(request) ? { requestBody: await requestBody(seen) } : {}),
    ...(complete && level >= 3 && (seen.hidden || seen.responseBody?.length)
      ? { responseBody: await responseBody(seen) }
      : {}),
  });
}

/** Who asked: nobody who signed in has a name that Kubernetes knows. */
function userOf({ caller, request }: Seen): Record<string, unknown> {
  const note = noteOf(request);
  const { 'impersonate-user': asUser, 'impersonate-group': asGroup } = request.headers;
  return {
    name: caller?.userId ?? note.userId ?? 'system:unauthenticated',
    group: caller?.groups ?? (note.userId ? [] : ['system:unauthenticated']),
    ...(caller ? { extra: caller.extra } : {}),
    ...(asUser === undefined ? {} : { requestUser: String(asUser).slice(0, maxName) }),
    ...(asGroup === undefined ? {} : { requestGroups: String(asGroup).split(',', maxClaims).map(claim) }),
  };
}

const claim = (text: string) => text.trim().slice(0, maxName);

const isJson = (type: string | undefined) => /^application\/(?:[\w.+-]+\+)?json\b/i.test(type ?? '');

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

async function requestBody(seen: Seen): Promise<unknown> {
  const { headers } = seen.request;
  return shown(seen, seen.requestBody, headers['content-type'], headers['content-encoding']);
}

async function responseBody(seen: Seen): Promise<unknown> {
  const header = (name: string) => seen.head?.headers.findLast(([given]) => given.toLowerCase() === name)?.[1];
  return shown(seen, seen.responseBody, header('content-type'), header('content-encoding'));
}

async function shown(
  { hidden }: Seen,
  capture: Capture | undefined,
  type: string | undefined,
  encoding: string | undefined,
): Promise<unknown> {
  if (hidden) return redacted;
  if (!isJson(type)) return '[omitted: not JSON]';
  const body = capture?.read() ?? '';
  if (typeof body === 'string') return body;
  try {
    return redactJson(JSON.parse((await plainText(body, encoding)).toString('utf8')));
  } catch {
    return '[omitted: not whole JSON]';
  }
}

const maxUnpackedBytes = 1 << 20;
const unpackers: Readonly<Record<string, (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  identity: async body => body,
};

async function plainText(body: Buffer, encoding = 'identity'): Promise<Buffer> {
  const unpack = Object.hasOwn(unpackers, encoding.toLowerCase()) ? unpackers[encoding.toLowerCase()] : undefined;
  if (!unpack) throw new Error('an encoding that is not read here');
  return unpack(body, { maxOutputLength: maxUnpackedBytes });
}
