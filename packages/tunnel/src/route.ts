/** Which of several sessions to one client carries the next stream: the quick and idle one, never simply the oldest. */
import type { Session } from './session.ts';

/** What a stream more would wait for on this session, roughly in milliseconds. */
function cost(session: Session): number {
  const { bytes, outlets } = session.writer.backlog;
  const { heartbeat } = session;
  // A live far end is heard every two seconds; longer silence means it is on its way out.
  const doubt = heartbeat.silentMs > 3000 ? 10_000 : 0;
  return (heartbeat.rttMs ?? 1) + doubt + bytes / 65_536 + outlets * 0.5 + session.streamCount * 0.05;
}

/** The cheapest live session, the newest where two are alike; undefined when none is live. */
export function bestSession(sessions: Iterable<Session>): Session | undefined {
  let best: Session | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const session of sessions) {
    if (!session.live) continue;
    const own = cost(session);
    if (best && (own > bestCost || (own === bestCost && session.since < best.since))) continue;
    best = session;
    bestCost = own;
  }
  return best;
}
