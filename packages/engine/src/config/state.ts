/**
 * `<name>.rkestate`: what has to outlive a run, in the shape that RKE gave it, with a block of ours beside. It holds every key of the
 * cluster: for its owner alone. What somebody else put there stays.
 */
import { X509Certificate } from 'node:crypto';
import { conflict, internal, messageOf, Secret } from '@drover/base';
import { readFileIfThere, writeFileAtomic } from '@drover/kube';
import { certFile, keyFile } from '../node/paths.ts';
import type { Certificates } from '../pki/cluster-certs.ts';
import type { EncryptionChange } from '../pki/encryption.ts';
import type { Rotation } from '../pki/rotation.ts';
import type { EngineState } from '../plan/up.ts';
import type { ClusterSpec, NodeSpec, Role } from './spec.ts';

/** What `up` needs and where the pinned keys of hosts are. */
export interface KeptState extends EngineState {
  /** Fingerprints by address. */
  readonly hostKeys: Readonly<Record<string, string>>;
}

interface RawState {
  readonly desiredState?: { readonly certificatesBundle?: Readonly<Record<string, RawCertificate>> } & Raw;
  readonly currentState?: Raw;
  readonly drover?: {
    readonly format: 1;
    readonly cluster: string;
    readonly etcdFormed: boolean;
    readonly hostKeys: Readonly<Record<string, string>>;
    readonly nodes: readonly RawNode[];
    readonly version?: string;
    readonly clusterUid?: string;
    readonly restoring?: string;
    readonly rotation?: {
      readonly phase: Rotation['phase'];
      readonly others: Readonly<Record<string, RawCertificate>>;
    };
    /** The text is empty where there will be none. */
    readonly encryptionChange?: { readonly phase: EncryptionChange['phase']; readonly to: string };
  };
}

type Raw = Readonly<Record<string, unknown>>;

interface RawCertificate {
  readonly certificatePEM?: string;
  readonly keyPEM?: string;
}

interface RawNode {
  readonly nodeName?: string;
  readonly address: string;
  readonly port: string;
  readonly internalAddress: string;
  readonly role: readonly Role[];
  readonly hostnameOverride: string;
  readonly user: string;
}

/** Undefined where there is no file. Throws Conflict where it belongs to another cluster, and what can't be read is never written over. */
export async function readState(path: string, spec: ClusterSpec): Promise<KeptState | undefined> {
  const text = await readFileIfThere(path);
  return text === undefined ? undefined : parseState(text, spec, path);
}

/** The same for a text that is kept elsewhere; `path` names it in errors. */
export function parseState(text: string, spec: ClusterSpec, path: string): KeptState {
  const raw = parseRaw(text, path);
  if (raw === null) throw broken(path);
  if (typeof raw !== 'object' || Array.isArray(raw)) throw broken(path);
  const { drover, desiredState } = raw;
  const stored = Object.keys(desiredState?.certificatesBundle ?? {}).length;
  if (!drover) {
    const what =
      stored > 0
        ? 'was written by RKE: its components run under Docker and can’t be taken over'
        : 'is no state of a cluster';
    throw conflict('state file', path, `${what}; move it away to begin anew`);
  }
  if (drover.format !== 1)
    throw conflict('state file', path, `was written by a newer version (format ${drover.format})`);
  if (drover.cluster !== spec.name)
    throw conflict(
      'state file',
      path,
      `belongs to the cluster ${JSON.stringify(drover.cluster)}, not ${JSON.stringify(spec.name)}`,
    );
  const isWhole = Array.isArray(drover.nodes) && drover.nodes.every(node => node && Array.isArray(node.role));
  if (!isWhole || typeof drover.hostKeys !== 'object' || drover.hostKeys === null) throw broken(path);
  const access = spec.nodes[0]?.ssh;
  const { rotation, encryptionChange } = drover;
  return {
    certificates: fromBundle(desiredState?.certificatesBundle ?? {}),
    rotation: rotation && { phase: rotation.phase, others: fromBundle(rotation.others) },
    encryption: (desiredState?.['encryptionConfig'] as string | undefined) || undefined,
    encryptionChange: encryptionChange && { phase: encryptionChange.phase, to: encryptionChange.to || undefined },
    etcdFormed: drover.etcdFormed,
    version: drover.version,
    clusterUid: drover.clusterUid,
    restoring: drover.restoring,
    hostKeys: drover.hostKeys,
    nodes: drover.nodes.map(node => ({
      name: node.hostnameOverride,
      address: node.address,
      internalAddress: node.internalAddress,
      roles: node.role,
      labels: {},
      taints: [],
      // Keys of hosts are never kept: those that left are reached as the others are.
      ssh: {
        address: node.address,
        port: Number(node.port),
        user: node.user,
        privateKey: access?.privateKey,
        certificate: access?.certificate,
        useAgent: access?.useAgent ?? false,
      },
    })),
  };
}

export async function writeState(path: string, spec: ClusterSpec, state: KeptState): Promise<void> {
  await writeFileAtomic(path, formatState(spec, state, { path, before: await readFileIfThere(path) }));
}

/** As it stands in a file; what others have put into the one `before` stays. */
export function formatState(
  spec: ClusterSpec,
  state: KeptState,
  { path = 'state', before: text }: { readonly path?: string; readonly before?: string } = {},
): string {
  const before = (text === undefined ? undefined : parseRaw(text, path)) ?? {};
  const rkeConfig = {
    clusterName: spec.name,
    kubernetesVersion: spec.kubernetesVersion,
    nodes: state.nodes.map(toRawNode),
  };
  const kept = {
    rkeConfig,
    certificatesBundle: toBundle(state.certificates),
    encryptionConfig: state.encryption ?? '',
  };
  const next = {
    ...before,
    desiredState: { ...before.desiredState, ...kept },
    currentState: state.etcdFormed ? { ...before.currentState, ...kept } : (before.currentState ?? {}),
    drover: {
      format: 1,
      cluster: spec.name,
      etcdFormed: state.etcdFormed,
      hostKeys: state.hostKeys,
      nodes: state.nodes.map(toRawNode),
      version: state.version,
      clusterUid: state.clusterUid,
      restoring: state.restoring,
      rotation: state.rotation && { phase: state.rotation.phase, others: toBundle(state.rotation.others) },
      encryptionChange: state.encryptionChange && {
        phase: state.encryptionChange.phase,
        to: state.encryptionChange.to ?? '',
      },
    },
  };
  return `${JSON.stringify(next, undefined, 2)}\n`;
}

function parseRaw(text: string, path: string): RawState | null {
  try {
    return JSON.parse(text) as RawState | null;
  } catch (error) {
    throw internal(`${path} can't be read: ${messageOf(error)}; put back a copy, or move it away to begin anew`);
  }
}

const broken = (path: string) =>
  internal(`${path} is no whole state of a cluster; put back a copy, or move it away to begin anew`);

function toRawNode({ name, address, internalAddress, roles, ssh }: NodeSpec): RawNode {
  const { port, user } = ssh;
  return { address, port: String(port), internalAddress, role: roles, hostnameOverride: name, user };
}

function fromBundle(bundle: Readonly<Record<string, RawCertificate>>): Certificates {
  return Object.fromEntries(
    Object.entries(bundle).map(([name, { certificatePEM = '', keyPEM = '' }]) => [
      name,
      { cert: certificatePEM, key: new Secret(keyPEM) },
    ]),
  );
}

function toBundle(certificates: Certificates): Record<string, object> {
  return Object.fromEntries(
    Object.entries(certificates).map(([name, { cert, key }]) => {
      const env = name.toUpperCase().replaceAll('-', '_');
      return [
        name,
        {
          certificatePEM: cert,
          keyPEM: key.reveal(),
          config: '',
          name,
          ...subjectOf(cert),
          envName: env,
          path: certFile(name),
          keyEnvName: `${env}_KEY`,
          keyPath: keyFile(name),
          configEnvName: `KUBECFG_${env}`,
          configPath: '',
        },
      ];
    }),
  );
}

function subjectOf(cert: string): { commonName: string; ouName: string } {
  if (cert === '') return { commonName: '', ouName: '' };
  const parts = new X509Certificate(cert).subject.split('\n');
  const part = (name: string) => parts.find(line => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  return { commonName: part('CN'), ouName: part('O') };
}
