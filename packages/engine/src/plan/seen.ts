/** What there is before anything is changed: each host's files, units and images, and what the cluster says of itself. */
import type { HostFacts } from '../node/host-input.ts';

export interface SeenUnit {
  readonly active: boolean;
  readonly enabled: boolean;
  /** Of the running process; undefined where none runs. */
  readonly inputs?: string;
}

export interface SeenHost {
  readonly facts: HostFacts;
  /** Lower-case hex and mode, by path; what is not there is missing. */
  readonly files: ReadonlyMap<string, { readonly sha256: string; readonly mode: number }>;
  /** Ours only, by name with its suffix. */
  readonly units: ReadonlyMap<string, SeenUnit>;
  /** First twelve digits of the bundles that are there whole. */
  readonly bundles: readonly string[];
  /** Names with their tags. */
  readonly images: ReadonlySet<string>;
  readonly hasEtcdData: boolean;
}

export interface SeenNode {
  readonly name: string;
  readonly ready: boolean;
  readonly schedulable: boolean;
  readonly kubeletVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
}

export interface SeenMember {
  /** Decimal, as the gateway writes it. */
  readonly id: string;
  /** Empty until it has started once. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly isLearner: boolean;
}

export interface SeenCluster {
  readonly version: string;
  readonly nodes: readonly SeenNode[];
  /** Digest of what was applied, by the addon's name. */
  readonly addons: Readonly<Record<string, string>>;
}

export interface Seen {
  /** By the node's name. */
  readonly hosts: ReadonlyMap<string, SeenHost>;
  /** Undefined where no kube-apiserver answers. */
  readonly cluster?: SeenCluster;
  /** Undefined where no member answers. */
  readonly members?: readonly SeenMember[];
}
