/**
 * Timeline: what was done to a cluster's hosts, step by step, with what went wrong and what the host said then. Kept in the store as it
 * happens, so that every replica can show it and a server that was killed has it; only the last steps are kept.
 */
import type { TimelineStep } from '@drover/api';
import { messageOf } from '@drover/base';
import type { StepEvent } from '@drover/engine';
import type { Caches, Resources } from '../resources/index.ts';

export interface StoredTimeline {
  /** Grows with each write: whoever waits for news names the one that he has. */
  readonly revision: number;
  readonly running: boolean;
  readonly steps: readonly TimelineStep[];
}

const secretName = 'engine-timeline';
const mostSteps = 500;
const mostError = 4000;
const mostLines = 40;
const gatherMs = 200;

/** The timeline as it is in the store; empty for a cluster that never had one. */
export function readTimeline(caches: Pick<Caches, 'secret'>, clusterId: string): StoredTimeline {
  const text = caches.secret.get(secretName, clusterId)?.stringData?.['timeline'];
  return text === undefined ? { revision: 0, running: false, steps: [] } : (JSON.parse(text) as StoredTimeline);
}

/** Whether a change of this secret is one of that cluster's timeline. */
export const isTimelineOf = (clusterId: string, { name, namespace }: { name: string; namespace?: string }): boolean =>
  name === secretName && namespace === clusterId;

export class Timeline {
  readonly #resources: Resources;
  readonly #clusterId: string;
  #steps: TimelineStep[];
  #revision: number;
  #run: number;
  #operation = '';
  #running = false;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  private constructor(resources: Resources, clusterId: string, stored: StoredTimeline) {
    this.#resources = resources;
    this.#clusterId = clusterId;
    this.#steps = [...stored.steps];
    this.#revision = stored.revision;
    this.#run = this.#steps.at(-1)?.run ?? 0;
  }

  static async open(resources: Resources, clusterId: string): Promise<Timeline> {
    const secret = await resources.find('secret', secretName, clusterId);
    const text = secret?.stringData?.['timeline'];
    const stored =
      text === undefined ? { revision: 0, running: false, steps: [] } : (JSON.parse(text) as StoredTimeline);
    return new Timeline(resources, clusterId, stored);
  }

  /** Begins a run; what an earlier one left open was interrupted. */
  begin(operation: string): void {
    this.#run++;
    this.#operation = operation;
    this.#running = true;
    this.#steps = this.#steps.map(step => (step.state === 'started' ? { ...step, state: 'interrupted' } : step));
    this.#changed();
  }

  event({ state, stage, title, host, at, tookMs, error }: StepEvent): void {
    const same = (step: TimelineStep) =>
      step.run === this.#run &&
      step.state === 'started' &&
      step.stage === stage &&
      step.title === title &&
      step.host === host;
    const index = this.#steps.findLastIndex(same);
    if (state === 'started' || index < 0) this.#add({ stage, title, host, state, started: at });
    else {
      const [first = '', ...log] = (error ?? '').slice(0, mostError).split('\n');
      this.#steps[index] = {
        ...this.#steps[index]!,
        state,
        ended: at,
        ...(tookMs === undefined ? {} : { tookMs }),
        ...(error === undefined ? {} : { error: first }),
        ...(log.length === 0 ? {} : { log: log.slice(-mostLines).map(line => line.trim()) }),
      };
    }
    this.#changed();
  }

  /** Does something as a step of its own; throws what it throws. */
  async step<T>(stage: string, title: string, doing: () => Promise<T>, host?: string): Promise<T> {
    const told = { stage, step: `${stage}/${title}`, title, ...(host === undefined ? {} : { host }) };
    const began = performance.now();
    this.event({ ...told, state: 'started', at: new Date().toISOString() });
    const ended = () => ({ at: new Date().toISOString(), tookMs: Math.round(performance.now() - began) });
    try {
      const result = await doing();
      this.event({ ...told, state: 'done', ...ended() });
      return result;
    } catch (error) {
      this.event({ ...told, state: 'failed', ...ended(), error: messageOf(error) });
      throw error;
    }
  }

  warn(message: string): void {
    this.#add({ stage: 'warning', title: message.slice(0, 1000), state: 'warning', started: new Date().toISOString() });
    this.#changed();
  }

  /** Says why the run failed, unless one of its steps has. */
  failed(message: string): void {
    if (this.#steps.some(step => step.run === this.#run && step.state === 'failed')) return;
    const [error = '', ...log] = message.slice(0, mostError).split('\n');
    const at = new Date().toISOString();
    this.#add({ stage: 'check', title: 'check what is there', state: 'failed', started: at, ended: at, error, log });
  }

  /** Ends the run, and resolves once all of it is in the store. */
  async end(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#write();
  }

  #add(step: Omit<TimelineStep, 'run' | 'operation'>): void {
    this.#steps.push({ run: this.#run, operation: this.#operation, ...step });
    if (this.#steps.length > mostSteps) this.#steps = this.#steps.slice(-mostSteps);
  }

  #changed(): void {
    // What fails is written with the next one, or at the end of the run, which waits for it.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#write().catch(() => undefined);
    }, gatherMs);
  }

  #write(): Promise<void> {
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(async () => {
        const stored: StoredTimeline = { revision: ++this.#revision, running: this.#running, steps: this.#steps };
        const stringData = { timeline: JSON.stringify(stored) };
        const metadata = { name: secretName, namespace: this.#clusterId };
        await this.#resources.put('secret', { metadata, stringData }, seen => ({ ...seen, stringData }));
      });
    return this.#writing;
  }
}
