/**
 * What can be done with an object: each action says which objects it is for, which link of the object permits it, and what it asks of
 * the server. Objects come with the links that this person has for exactly them, so nothing here decides about rights.
 */
import { at, type KubeObject, pathOf } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import type { IconName } from '../parts/Icon.tsx';

export interface Action {
  readonly name: string;
  readonly icon: IconName;
  /** The link that must be there, and the verb that gives it. */
  readonly needs: 'update' | 'remove';
  readonly verb: 'patch' | 'delete' | 'update';
  readonly fits: (object: KubeObject) => boolean;
  /** Absent where the page asks for more first. */
  readonly run?: (object: KubeObject) => Promise<unknown>;
  /** What takes it back, where something does. */
  readonly undo?: (object: KubeObject) => Promise<unknown>;
}

export function patch(object: KubeObject, change: unknown): Promise<unknown> {
  return ask(`${pathOf(object.links['self']!)}?fieldManager=drover-ui`, {
    method: 'PATCH',
    body: change,
    contentType: 'application/merge-patch+json',
  });
}

export function remove(object: KubeObject): Promise<unknown> {
  return ask(`${pathOf(object.links['self']!)}?propagationPolicy=Background`, { method: 'DELETE' });
}

export function scale(object: KubeObject, replicas: number): Promise<unknown> {
  return patch(object, { spec: { replicas } });
}

const isOneOf =
  (...kinds: readonly string[]) =>
  ({ kind }: KubeObject): boolean =>
    kinds.includes(kind);
const isRunner = isOneOf('Deployment', 'StatefulSet', 'DaemonSet');
const spec = (name: string, value: unknown) => (object: KubeObject) => patch(object, { spec: { [name]: value } });
const update = { needs: 'update', verb: 'patch' } as const;

export const actions: readonly Action[] = [
  { ...update, name: 'scale', icon: 'scale', fits: isOneOf('Deployment', 'StatefulSet', 'ReplicaSet') },
  {
    ...update,
    name: 'restart',
    icon: 'restart',
    fits: isRunner,
    run: object =>
      patch(object, {
        spec: {
          template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() } } },
        },
      }),
  },
  {
    ...update,
    name: 'pause',
    icon: 'pause',
    fits: object => object.kind === 'Deployment' && at(object, 'spec.paused') !== true,
    run: spec('paused', true),
    undo: spec('paused', false),
  },
  {
    ...update,
    name: 'resume',
    icon: 'play',
    fits: object => object.kind === 'Deployment' && at(object, 'spec.paused') === true,
    run: spec('paused', false),
    undo: spec('paused', true),
  },
  {
    ...update,
    name: 'suspend',
    icon: 'pause',
    fits: object => isOneOf('CronJob', 'Job')(object) && at(object, 'spec.suspend') !== true,
    run: spec('suspend', true),
    undo: spec('suspend', false),
  },
  {
    ...update,
    name: 'unsuspend',
    icon: 'play',
    fits: object => isOneOf('CronJob', 'Job')(object) && at(object, 'spec.suspend') === true,
    run: spec('suspend', false),
    undo: spec('suspend', true),
  },
  {
    ...update,
    name: 'cordon',
    icon: 'pause',
    fits: object => object.kind === 'Node' && at(object, 'spec.unschedulable') !== true,
    run: spec('unschedulable', true),
    undo: spec('unschedulable', false),
  },
  {
    ...update,
    name: 'uncordon',
    icon: 'play',
    fits: object => object.kind === 'Node' && at(object, 'spec.unschedulable') === true,
    run: spec('unschedulable', false),
    undo: spec('unschedulable', true),
  },
  { name: 'remove', icon: 'trash', needs: 'remove', verb: 'delete', fits: () => true },
];

/** Whether this person may do it with this very object. */
export function isAllowed({ needs }: Action, { links }: KubeObject): boolean {
  const link = links[needs];
  return link !== undefined && link !== 'blocked';
}
