/** From what shall be and what is to the steps between, and their running. */
export { type RemoveOptions, removeCluster } from './remove.ts';
export type { StepEvent } from './run.ts';
export { type Plan, type Stage, type Step, stepCount } from './step.ts';
export { apiConnection, type EngineState, type UpOptions, type UpResult, up } from './up.ts';
