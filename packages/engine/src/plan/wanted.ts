/** The whole cluster as it shall be: every host's files and units, and the addons. */
import type { Bundle } from '../bundle/bundle.ts';
import type { ClusterSpec, NodeSpec } from '../config/spec.ts';
import type { Unit, WantedFile } from '../node/unit.ts';
import type { Addon } from './addon.ts';
import type { WantedRotation } from './rotate.ts';

export interface WantedHost {
  readonly node: NodeSpec;
  readonly files: readonly WantedFile[];
  /** In the order in which they start, within their group. */
  readonly etcd: readonly Unit[];
  /** Run beside a member, once it stands. */
  readonly etcdHelpers: readonly Unit[];
  readonly controlPlane: readonly Unit[];
  readonly worker: readonly Unit[];
}

export interface Wanted {
  readonly spec: ClusterSpec;
  readonly bundle: Bundle;
  /** Those that can be reached. */
  readonly hosts: readonly WantedHost[];
  /** The others: they stay as they are until a later run. */
  readonly away: readonly NodeSpec[];
  readonly addons: readonly Addon[];
  /** Hosts that were in the cluster and shall leave it. */
  readonly leaving: readonly NodeSpec[];
  /** Until the first members have formed a cluster, each is told of all others as new ones. */
  readonly etcdFormed: boolean;
  /** Of Secrets at rest. */
  readonly encryption?: string;
  /** While authorities are being exchanged. */
  readonly rotation?: WantedRotation;
}
