/**
 * `/v1-audit`: the audit log for admins, newest first and filtered; `?at=PLACE` is one line whole. It is read from the file that it was
 * written to, bounded in bytes and in readers at once, so that nobody else's request waits for it.
 */
import { forbidden, invalid, methodNotAllowed, notFound, tooManyRequests } from '@drover/base';
import type { ApiDeps } from '../api/behaviour.ts';
import { mayGrant } from '../explain/refusal.ts';
import type { Caller, Route } from '../http/exchange.ts';
import { noStore, sendJson } from '../http/send-json.ts';
import type { AuditConfig } from './audit-config.ts';
import { type AuditFacts, type AuditLine, factsOf, isReading, outcomes, parseLine } from './audit-facts.ts';
import { formatPlace, type LogPlace, lineAt, parsePlace, readBackwards } from './read-backwards.ts';

const prefix = '/v1-audit';
const mostRecords = 200;
/** Of one answer; whoever looks for something rare goes on from where it ended. */
const mostBytes = 16 << 20;
const mostReaders = 4;
/** Lines stand in the order in which requests ended, give or take. */
const slackMs = 60_000;
/** What makes a line long, and is told of one line only. */
const long = new Set(['requestHeader', 'responseHeader', 'requestBody', 'responseBody']);

export interface AuditReaders {
  readonly caches: ApiDeps['caches'];
  readonly auth: Pick<ApiDeps['auth'], 'access'>;
}

export function auditRoute(deps: AuditReaders, config: AuditConfig | undefined): Route {
  const path = config?.file && config.file.path !== '-' ? config.file.path : undefined;
  let readers = 0;
  return {
    prefix,
    signIn: 'user',
    errors: 'norman',
    async handle(exchange, caller) {
      const { request, response, query } = exchange;
      if (exchange.path !== prefix) throw notFound('path', exchange.path.slice(0, 200));
      requireAdmin(deps, caller!);
      if (request.method !== 'GET') throw methodNotAllowed(request.method ?? '', 'the audit log');
      const state = config === undefined ? 'off' : path === undefined ? 'elsewhere' : 'kept';
      const shown = { type: 'auditLog', state, level: config?.level ?? null };
      if (path === undefined) return sendJson(response, 200, { ...shown, data: [], next: null }, noStore);
      if (readers >= mostReaders) throw tooManyRequests('the audit log is being read by others just now', 2);
      readers++;
      try {
        const at = query.get('at');
        if (at !== null) return sendJson(response, 200, await one(path, parsePlace(at, 'at')), noStore);
        sendJson(
          response,
          200,
          { ...shown, ...(await list(path, readWish(query), () => response.destroyed)) },
          noStore,
        );
      } finally {
        readers--;
      }
    },
  };
}

function requireAdmin({ caches, auth }: AuditReaders, caller: Caller): void {
  if (auth.access.isAdmin(caller)) return;
  const who = mayGrant({ caches, access: auth.access }, caller, {}).join(', ') || 'an administrator';
  throw forbidden(
    `you may not read the audit log: it tells what everybody did, and is for administrators; that role may be granted by ${who}`,
  );
}

interface Wish {
  readonly limit: number;
  readonly before?: LogPlace;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly fits: (line: AuditLine, facts: AuditFacts) => boolean;
}

/** Throws Invalid naming the filter. */
function readWish(query: URLSearchParams): Wish {
  const limit = Number(query.get('limit') ?? 100);
  if (!Number.isInteger(limit) || limit < 1 || limit > mostRecords)
    throw invalid('limit', `must be a whole number from 1 to ${mostRecords}`);
  const time = (name: string, fallback: number): number => {
    const text = query.get(name);
    if (!text) return fallback;
    const ms = Date.parse(text);
    if (Number.isNaN(ms)) throw invalid(name, 'must be a time such as 2026-01-01T10:00:00Z');
    return ms;
  };
  const outcome = query.get('outcome') ?? '';
  if (outcome && !(outcomes as readonly string[]).includes(outcome))
    throw invalid('outcome', `must be one of ${outcomes.join(', ')}`);
  const [user, verb, resource, cluster] = ['user', 'verb', 'resource', 'cluster'].map(name =>
    (query.get(name) ?? '').trim().toLowerCase(),
  ) as [string, string, string, string];
  const before = query.get('before');
  return {
    limit,
    ...(before ? { before: parsePlace(before, 'before') } : {}),
    sinceMs: time('since', 0),
    untilMs: time('until', Number.POSITIVE_INFINITY),
    fits: (line, facts) =>
      (outcome === '' || facts.outcome === outcome) &&
      (verb === '' || (verb === 'change' ? !isReading(facts.verb) : facts.verb.toLowerCase() === verb)) &&
      (resource === '' ||
        facts.resource.toLowerCase().split(/[/.]/).includes(resource) ||
        facts.resource === resource) &&
      (cluster === '' || facts.cluster === cluster) &&
      (user === '' || [line.user?.name, line.userLoginName].some(name => name?.toLowerCase().includes(user))),
  };
}

async function list(path: string, wish: Wish, isGone: () => boolean) {
  const bounds = { bytes: mostBytes };
  const ended = new Set<string>();
  const data: object[] = [];
  let last: { readonly place: LogPlace; readonly at: string } | undefined;
  let isAll = true;
  for await (const { text, place } of readBackwards(path, wish.before, bounds)) {
    const line = parseLine(text);
    if (!line) continue;
    const at = Date.parse(line.responseTimestamp);
    if (at < wish.sinceMs - slackMs) {
      last = undefined;
      break;
    }
    last = { place, at: line.responseTimestamp };
    if (isGone()) break;
    // What began and has ended is told once, by its end.
    const isTold = line.stage === 'ResponseStarted' && ended.has(line.auditID);
    if (line.stage === 'ResponseComplete') ended.add(line.auditID);
    if (isTold || at < wish.sinceMs || at > wish.untilMs) continue;
    const facts = factsOf(line);
    if (!wish.fits(line, facts)) continue;
    data.push({
      ...Object.fromEntries(Object.entries(line).filter(([name]) => !long.has(name))),
      ...facts,
      at: formatPlace(place),
    });
    if (data.length >= wish.limit) {
      isAll = false;
      break;
    }
  }
  const more = last !== undefined && (!isAll || bounds.bytes <= 0);
  return { data, next: more ? formatPlace(last!.place) : null, searchedTo: last?.at ?? null };
}

async function one(path: string, place: LogPlace): Promise<object> {
  const text = await lineAt(path, place);
  const line = text === undefined ? undefined : parseLine(text);
  if (!line) throw notFound('audit record', formatPlace(place));
  return { ...line, ...factsOf(line), at: formatPlace(place) };
}
