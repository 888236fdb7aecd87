/** Which tone a state is shown in: well, on its way, unwell, or at rest. */
import type { ObjectState } from '../net/objects.ts';

export type Tone = 'ok' | 'warn' | 'bad' | 'idle';

const resting: ReadonlySet<string> = new Set([
  'inactive',
  'paused',
  'suspended',
  'unknown',
  'removed',
  'completed',
  'succeeded',
  'cordoned',
  'drained',
  'released',
  'available',
  'disabled',
]);

export function toneOf({ name, error, transitioning }: Pick<ObjectState, 'name' | 'error' | 'transitioning'>): Tone {
  if (error) return 'bad';
  if (transitioning) return 'warn';
  return resting.has(name.toLowerCase()) ? 'idle' : 'ok';
}

/** What somebody does: where that is an error, it is what failed. */
const doings: ReadonlySet<string> = new Set([
  'provisioning',
  'registering',
  'updating',
  'upgrading',
  'removing',
  'saving',
  'configuring',
  'activating',
  'initializing',
  'draining',
]);

export const hasFailedAt = ({ name, error }: Pick<ObjectState, 'name' | 'error'>): boolean =>
  error && doings.has(name.toLowerCase());

/** As its text is called: letters only. */
export const stateKey = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, '');
