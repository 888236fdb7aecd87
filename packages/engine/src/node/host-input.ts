/** What the files and units of one host are made from; all of them are pure functions of it. */
import type { BundleManifest } from '../bundle/bundle.ts';
import type { ClusterSpec, NodeSpec, ServiceExtras } from '../config/spec.ts';
import type { Certificates } from '../pki/cluster-certs.ts';
import { bundleDir } from './paths.ts';
import { flags, type WantedFile } from './unit.ts';

/** What differs between hosts and decides how their components are set. */
export interface HostFacts {
  readonly cgroupVersion: 1 | 2;
  /** Whether limits may be raised (CAP_SYS_RESOURCE); not so in most containers. */
  readonly canRaiseLimits: boolean;
  /** Whether packets between pods of one bridge pass iptables. */
  readonly bridgeNetfilter: boolean;
  /** With the nameservers that pods shall ask. */
  readonly resolvConf: string;
  readonly nameservers: readonly string[];
}

export interface HostInput {
  readonly spec: ClusterSpec;
  readonly node: NodeSpec;
  readonly certificates: Certificates;
  readonly bundle: BundleManifest;
  readonly facts: HostFacts;
  /** Of Secrets at rest: the text of an EncryptionConfiguration. */
  readonly encryption?: string;
}

export const binDir = (input: HostInput): string => `${bundleDir(input.bundle.id)}/bin`;

/** Computed flags under what a person set: his win, his lists come after. */
export function withExtras(
  computed: Readonly<Record<string, string | readonly string[] | undefined>>,
  extras: ServiceExtras,
): string[] {
  const repeated = Object.entries(extras.extraArgsArray).flatMap(([flag, values]) =>
    values.map(value => `--${flag}=${value}`),
  );
  return [...flags({ ...computed, ...extras.extraArgs }), ...repeated];
}

export function controlNodes(spec: ClusterSpec): NodeSpec[] {
  return spec.nodes.filter(({ roles }) => roles.includes('controlplane'));
}

export function etcdNodes(spec: ClusterSpec): NodeSpec[] {
  return spec.nodes.filter(({ roles }) => roles.includes('etcd'));
}

/** JSON that is the same for the same content. */
export function jsonFile(path: string, value: unknown, mode = 0o600): WantedFile {
  return { path, content: `${JSON.stringify(value, undefined, 2)}\n`, mode };
}
