/**
 * What is to be done with a cluster on hosts right now: pure functions of what is asked for, what is there and what went wrong before.
 * Carrying it out is elsewhere; whatever was decided, the next look decides anew.
 */
import type { ManagedNode } from '@drover/api';
import { nodeNameOf } from '../connect/host-admission.ts';
import type { requests } from './engine-config.ts';
import type { Progress } from './engine-memory.ts';
import { type HostPlan, isRegistered } from './plan-hosts.ts';

export type Request = (typeof requests)[number];

/** Several hosts are told one after the other: who waits for them makes a cluster of all of them at once. */
const settleMs = 5000;
const awayMs = 15_000;

export interface Waiting {
  /** For people; absent: what was last said stays. */
  readonly message?: string;
  readonly afterMs?: number;
}

/** What is waited for before the config is looked at. */
export function waitsForHosts(
  plan: Pick<HostPlan, 'missing'>,
  seen: { readonly isMade: boolean; readonly nodes: readonly ManagedNode[]; readonly now: number },
): Waiting | undefined {
  if (plan.missing !== undefined) return { message: plan.missing };
  if (seen.isMade) return undefined;
  const registered = seen.nodes
    .filter(isRegistered)
    .map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? ''));
  const afterMs = settleMs - (seen.now - Math.max(0, ...registered));
  return afterMs > 0 ? { message: 'waiting a moment for more hosts', afterMs } : undefined;
}

/** What went wrong the last time; it is not tried again before its time, unless something else is asked for. */
export interface Failure {
  readonly what: string;
  readonly times: number;
  readonly retryAt: number;
}

export interface Seen {
  readonly plan: Pick<HostPlan, 'away' | 'awayHosts' | 'isHeadless' | 'leaving'>;
  /** Of all that is asked for. */
  readonly digest: string;
  readonly progress: Progress;
  readonly isMade: boolean;
  readonly request: Request | undefined;
  /** Names of certificates that are near their end. */
  readonly ending: readonly string[];
  /** Whether the agent in the cluster is another than it shall be. */
  readonly needsAgents: boolean;
  readonly failure: Failure | undefined;
  readonly now: number;
}

export type Decision =
  | { readonly kind: 'rest' }
  | ({ readonly kind: 'wait' } & Waiting & { readonly afterMs: number })
  /** `up`: by the engine, else its agents alone. */
  | { readonly kind: 'work'; readonly what: string; readonly operation: string; readonly up: boolean };

export function decide(seen: Seen): Decision {
  const { plan, digest, progress, isMade, request, ending, needsAgents, failure, now } = seen;
  const isLeaving = plan.leaving.some(node => progress.nodes?.includes(nodeNameOf(node)));
  // Whoever was killed before he said that it is made says it now.
  const differs = progress.applied !== digest || isLeaving || !isMade;
  const isBack = (progress.behind ?? []).some(name => !plan.awayHosts.includes(name));
  const renews = ending.length > 0 || isBack;
  const up = differs || request !== undefined || renews;
  if (!up && !needsAgents) return { kind: 'rest' };
  // Certificates end whoever is away: those that are there get theirs, the others when they are back.
  const takesAll = differs || request !== undefined || !renews || plan.isHeadless;
  if (plan.away !== undefined && takesAll) return { kind: 'wait', message: plan.away, afterMs: awayMs };
  const what = `${digest}:${request ?? ''}`;
  if (failure?.what === what && failure.retryAt > now) return { kind: 'wait', afterMs: failure.retryAt - now };
  const usual = differs ? 'update' : up ? 'renew' : 'agents';
  return { kind: 'work', what, up, operation: request ?? (isMade ? usual : 'provision') };
}

/** After half a minute, then more seldom. */
export function failedAgain(before: Failure | undefined, what: string, now: number): Failure {
  const times = before?.what === what ? before.times + 1 : 1;
  return { what, times, retryAt: now + Math.min(30_000 * 2 ** (times - 1), 600_000) };
}
