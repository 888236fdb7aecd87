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
  /** Absent: for all kinds. */
  readonly kinds?: readonly string[];
  /** Absent: in whatever state the object is. */
  readonly when?: (object: KubeObject) => boolean;
  /** What it changes, as a merge patch; absent where the page asks for more first. */
  readonly change?: (object: KubeObject) => unknown;
  /** What takes it back, where something does; told of the object as it was before. */
  readonly back?: (object: KubeObject) => unknown;
}

export function patch(object: KubeObject, change: unknown, signal?: AbortSignal): Promise<unknown> {
  return ask(`${pathOf(object.links['self']!)}?fieldManager=drover-ui`, {
    method: 'PATCH',
    body: change,
    contentType: 'application/merge-patch+json',
    ...(signal ? { signal } : {}),
  });
}

export function remove(object: KubeObject, signal?: AbortSignal): Promise<unknown> {
  const path = `${pathOf(object.links['self']!)}?propagationPolicy=Background`;
  return ask(path, { method: 'DELETE', ...(signal ? { signal } : {}) });
}

export const replicas = (count: number): unknown => ({ spec: { replicas: count } });

const spec = (name: string, value: unknown) => () => ({ spec: { [name]: value } });
const update = { needs: 'update', verb: 'patch' } as const;

/** Two actions, each of which takes the other back: a field that is true or not. */
function pair(field: string, kinds: readonly string[], names: readonly [on: string, off: string]): Action[] {
  const isOn = (object: KubeObject) => at(object, `spec.${field}`) === true;
  return [
    {
      ...update,
      name: names[0],
      icon: 'pause',
      kinds,
      when: object => !isOn(object),
      change: spec(field, true),
      back: object => ({ spec: { [field]: at(object, `spec.${field}`) ?? null } }),
    },
    { ...update, name: names[1], icon: 'play', kinds, when: isOn, change: spec(field, false), back: spec(field, true) },
  ];
}

export const actions: readonly Action[] = [
  { ...update, name: 'scale', icon: 'scale', kinds: ['Deployment', 'StatefulSet', 'ReplicaSet'] },
  {
    ...update,
    name: 'restart',
    icon: 'restart',
    kinds: ['Deployment', 'StatefulSet', 'DaemonSet'],
    change: () => ({
      spec: {
        template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() } } },
      },
    }),
  },
  ...pair('paused', ['Deployment'], ['pause', 'resume']),
  ...pair('suspend', ['CronJob', 'Job'], ['suspend', 'unsuspend']),
  ...pair('unschedulable', ['Node'], ['cordon', 'uncordon']),
  { name: 'remove', icon: 'trash', needs: 'remove', verb: 'delete' },
];

export const fitsKind = ({ kinds }: Action, kind: string): boolean => !kinds || kinds.includes(kind);

/** Whether it is for this object as it is now. */
export const fits = (action: Action, object: KubeObject): boolean =>
  fitsKind(action, object.kind) && (action.when?.(object) ?? true);

/** Whether this person may do it with this very object. */
export function isAllowed({ needs }: Action, { links }: KubeObject): boolean {
  const link = links[needs];
  return link !== undefined && link !== 'blocked';
}
