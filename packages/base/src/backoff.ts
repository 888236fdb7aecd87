/** Exponential backoff with full jitter above a floor, so that many who fail at once do not come back at once. */

export interface BackoffOptions {
  readonly minMs?: number;
  readonly maxMs?: number;
  readonly random?: () => number;
}

/** The pause before try number `attempt` (0 = first retry): doubles from minMs to maxMs, jittered over its upper half. */
export function backoffMs(attempt: number, options: BackoffOptions = {}): number {
  const { minMs = 5, maxMs = 300_000, random = Math.random } = options;
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 40));
  return ceiling / 2 + (random() * ceiling) / 2;
}
