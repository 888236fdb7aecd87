/** From what shall be and what is to the steps between, and their running. */

export { pinnedFilter, pinnedLabel } from '../node/paths.ts';
export { checkRestoredVersion } from './check-versions.ts';
export { apiConnection } from './connect-hosts.ts';
export { type RemoveOptions, removeCluster } from './remove.ts';
export type { StepEvent } from './run.ts';
export { readStateCopy } from './state-copy.ts';
export { type Plan, type Stage, type Step, stepCount } from './step.ts';
export { type EngineState, initState, type UpOptions, type UpResult, up } from './up.ts';
