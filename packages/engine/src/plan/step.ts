/**
 * Steps as data: what a plan consists of, what a person reads in a dry run, and what the runner does. Each is safe to do again;
 * each says by itself when it is done.
 */
import type { NodeSpec } from '../config/spec.ts';
import type { Unit, WantedFile } from '../node/unit.ts';
import type { Addon } from './addon.ts';
import type { WantedRotation } from './rotate.ts';

export type Action =
  | { readonly do: 'bundle' }
  | { readonly do: 'files'; readonly put: readonly WantedFile[]; readonly remove: readonly string[] }
  | { readonly do: 'start'; readonly unit: Unit }
  | { readonly do: 'stop'; readonly unit: string }
  | { readonly do: 'images'; readonly paths: readonly string[] }
  | { readonly do: 'etcd-join'; readonly file: WantedFile }
  | { readonly do: 'member-add'; readonly peerUrl: string; readonly name: string }
  | { readonly do: 'member-remove'; readonly name: string; readonly peerUrl: string }
  | { readonly do: 'etcd-formed' }
  | { readonly do: 'cordon' }
  | { readonly do: 'drain' }
  | { readonly do: 'uncordon' }
  | { readonly do: 'node-ready' }
  | { readonly do: 'node-settings'; readonly node: NodeSpec }
  | { readonly do: 'node-delete' }
  | { readonly do: 'apply'; readonly addon: Addon }
  | { readonly do: 'withdraw'; readonly name: string }
  | { readonly do: 'rewrite-secrets'; readonly digest: string }
  | { readonly do: 'restart-workloads'; readonly rotation: WantedRotation }
  | { readonly do: 'renew-tokens'; readonly rotation: WantedRotation }
  | { readonly do: 'pod-tokens'; readonly rotation: WantedRotation }
  | { readonly do: 'reset' };

export interface Step {
  /** Unique within a plan and the same in the next one, e.g. `etcd/node-1/start drover-etcd`. */
  readonly id: string;
  /** For people, e.g. `start drover-etcd`. */
  readonly title: string;
  /** The node's name; undefined for what concerns the cluster. */
  readonly host?: string;
  readonly action: Action;
}

/** What may run at once: chains side by side, the steps of a chain one after the other. */
export interface Stage {
  readonly name: string;
  /** How many chains at a time. */
  readonly parallel: number;
  readonly chains: readonly (readonly Step[])[];
}

export type Plan = readonly Stage[];

export const stepCount = (plan: Plan): number => plan.flatMap(({ chains }) => chains.flat()).length;
