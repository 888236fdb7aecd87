/**
 * What a cluster is run with, by the file names that the releases use, and the words in which sources report.
 */
import { arch, platform } from 'node:os';

export const controlPlaneBinaries = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/** What a real node adds; `pause` holds a pod's namespaces and comes from our own Go module only. */
export const nodeBinaries = [
  'kubelet',
  'kube-proxy',
  'kubectl',
  'cni/bridge',
  'cni/host-local',
  'cni/loopback',
  'cni/portmap',
  'pause',
] as const;

export type BinaryName = (typeof controlPlaneBinaries)[number] | (typeof nodeBinaries)[number];

/** Where binaries may come from, in the order in which they are tried. */
export type BinarySource = 'directory' | 'cache' | 'download' | 'build';

export interface BinaryProgress {
  readonly source: BinarySource;
  /** What is being done, e.g. `build kube-apiserver`. */
  readonly step: string;
  /** This step's number of `of`, from 1. */
  readonly n: number;
  readonly of: number;
  /** Since the search began. */
  readonly elapsedMs: number;
  readonly state: 'started' | 'running' | 'done' | 'failed';
  /** Downloads only. */
  readonly bytes?: number;
  readonly totalBytes?: number;
  /** Why a source is passed over. */
  readonly message?: string;
}

/** A source's way to report; the search adds source and time. */
export type Report = (progress: Omit<BinaryProgress, 'source' | 'elapsedMs'>) => void;

/** Go's words for this machine, e.g. `linux-amd64`: what releases are named by. */
export function platformName(): { os: string; arch: string; name: string } {
  const cpu = arch() === 'x64' ? 'amd64' : arch();
  return { os: platform(), arch: cpu, name: `${platform()}-${cpu}` };
}
