/**
 * Runs a plan: stage after stage, chains side by side, and tells of each step. The first failure lets what runs end and stops the
 * rest: what is done is done, and the next plan starts from there.
 */
import { messageOf } from '@drover/base';
import { type ActionContext, act } from './actions.ts';
import type { Plan, Stage, Step } from './step.ts';

export interface StepEvent {
  readonly state: 'started' | 'done' | 'failed';
  readonly stage: string;
  readonly step: string;
  readonly title: string;
  readonly host?: string;
  /** ISO 8601. */
  readonly at: string;
  readonly tookMs?: number;
  /** With the host's own last lines where it has some. */
  readonly error?: string;
}

export interface RunOptions {
  readonly context: ActionContext;
  /** Awaited: an event is kept before the next step begins. */
  readonly onEvent: (event: StepEvent) => Promise<void> | void;
}

/** Throws the first failure once what ran beside it has ended. */
export async function runPlan(plan: Plan, options: RunOptions): Promise<void> {
  for (const stage of plan) await runStage(stage, options);
}

async function runStage(stage: Stage, { context, onEvent }: RunOptions): Promise<void> {
  const waiting = [...stage.chains];
  let failure: { readonly error: unknown } | undefined;
  const work = async () => {
    for (let chain = waiting.shift(); chain && !failure; chain = waiting.shift()) {
      for (const step of chain) {
        if (failure) return;
        try {
          await runStep(stage.name, step, { context, onEvent });
        } catch (error) {
          failure ??= { error };
          return;
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(stage.parallel, stage.chains.length) }, work));
  if (failure) throw failure.error;
}

async function runStep(stage: string, step: Step, { context, onEvent }: RunOptions): Promise<void> {
  const { id, title, host } = step;
  const told = { stage, step: id, title, ...(host === undefined ? {} : { host }) };
  context.signal?.throwIfAborted();
  const began = performance.now();
  await onEvent({ ...told, state: 'started', at: new Date().toISOString() });
  const ended = () => ({ at: new Date().toISOString(), tookMs: Math.round(performance.now() - began) });
  try {
    await act(step, context);
  } catch (error) {
    await onEvent({ ...told, state: 'failed', ...ended(), error: messageOf(error) });
    throw error;
  }
  await onEvent({ ...told, state: 'done', ...ended() });
}
