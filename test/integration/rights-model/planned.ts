/** What one call is: whether it is somebody's right, how it is sent, and what it changes. */
import type { Answer } from '../../../packages/server/src/api/fixture.ts';
import type { Rights } from './evaluator.ts';
import { at, type Model } from './setting.ts';
import type { wire } from './wire.ts';
import { type Binding, clusterOf } from './world.ts';

export interface Planned {
  readonly allowed: boolean;
  /** Whether he may do such things at all, so that what is asked next decides: who may is made to try more often. */
  readonly near?: boolean;
  /** Whoever does it is outside of the model: rights may grow by it. */
  readonly outside?: boolean;
  send(): Promise<Answer>;
  /** What it changes in the model. */
  done?(answer: Answer): void;
}

export interface Acting {
  readonly actor: string;
  readonly rights: Rights;
  readonly over: ReturnType<typeof wire>;
}

export function noteBinding(model: Model, id: string, binding: Binding): void {
  model.world.bindings.set(id, binding);
  model.bindings.unshift(id);
}

/** A binding by its place in the order of their making, and what it is to who looks at it. */
export function bindingAt(model: Model, index: number) {
  const id = at(model.bindings.length > 0 ? model.bindings : ['none'], index);
  const seen = model.world.bindings.get(id);
  const kind = seen ? seen.kind : 'global';
  const name = id.split(':').at(-1)!;
  const things = {
    global: { resource: 'globalrolebindings', name },
    cluster: { resource: 'clusterroletemplatebindings', name, cluster: seen?.where },
    project: {
      resource: 'projectroletemplatebindings',
      name,
      // Where its project is not there any more, it is nowhere.
      ...(seen && model.world.projects.has(seen.where) ? { project: seen.where, cluster: clusterOf(seen.where) } : {}),
    },
  };
  const kinds = { global: 'globalBinding', cluster: 'clusterBinding', project: 'projectBinding' } as const;
  return { id, kind: kinds[kind], seen, thing: things[kind] };
}
