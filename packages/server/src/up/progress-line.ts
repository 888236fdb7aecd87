/** What whoever starts the server is told of the search for Kubernetes: what takes its time, and what was tried in vain. */
import type { BinaryProgress } from '@drover/engine';

/**
 * Undefined where there is nothing to tell. That nothing is cached yet is how everybody begins: it is told only with the other reasons, where
 * no source has it. Any other source that cannot be used is no fault as long as another one can, and its reason says enough.
 */
export function progressLine(progress: BinaryProgress): string | undefined {
  const { source, step, n, of, elapsedMs, state, message } = progress;
  if (state === 'running') return undefined;
  if (state === 'failed')
    return source === 'cache' ? undefined : `Kubernetes by ${source} is not to be had here: ${message ?? step}`;
  const place = of > 1 ? `${n} of ${of}, ` : '';
  return `${step} (${place}${Math.round(elapsedMs / 1000)} s)${state === 'done' ? ' done' : ' …'}`;
}
