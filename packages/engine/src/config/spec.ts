/**
 * The wanted cluster, as the engine works with it: what `rancher-cluster.yml` or `rancherKubernetesEngineConfig` says, checked and
 * with its defaults. Whatever is read from a file and has no place here is named in a warning.
 */
import type { Secret } from '@drover/base';

export type Role = 'etcd' | 'controlplane' | 'worker';

export interface SshAccess {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** PEM or OpenSSH text. */
  readonly privateKey?: Secret;
  readonly certificate?: string;
  readonly useAgent: boolean;
}

export interface NodeSpec {
  /** Kubernetes' name for it: the override or the address, lower case. */
  readonly name: string;
  readonly address: string;
  readonly internalAddress: string;
  readonly roles: readonly Role[];
  readonly ssh: SshAccess;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly value: string; readonly effect: string }[];
}

/** What a person may add to a component's command line and environment; `extraArgs` wins over what is computed. */
export interface ServiceExtras {
  readonly extraArgs: Readonly<Record<string, string>>;
  readonly extraArgsArray: Readonly<Record<string, readonly string[]>>;
  readonly extraEnv: readonly string[];
}

export interface DrainInput {
  readonly force: boolean;
  readonly ignoreDaemonSets: boolean;
  readonly deleteLocalData: boolean;
  readonly gracePeriodSeconds: number;
  readonly timeoutSeconds: number;
}

export interface S3Place {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly folder: string;
  readonly accessKey?: string;
  readonly secretKey?: Secret;
  readonly customCa?: string;
}

export interface ClusterSpec {
  readonly name: string;
  /** `v1.36.3`, whatever suffix the file has; undefined: the bundle's. */
  readonly kubernetesVersion?: string;
  readonly nodes: readonly NodeSpec[];
  readonly bastion?: SshAccess;
  readonly etcd: ServiceExtras & {
    readonly external?: {
      readonly urls: readonly string[];
      readonly caCert: string;
      readonly cert: string;
      readonly key: Secret;
    };
    readonly snapshots: {
      readonly enabled: boolean;
      readonly intervalHours: number;
      readonly retention: number;
      readonly timeoutSeconds: number;
      readonly safeTimestamp: boolean;
      readonly s3?: S3Place;
    };
  };
  readonly apiserver: ServiceExtras & {
    readonly serviceCidr: string;
    readonly nodePortRange: string;
    readonly podSecurity: 'privileged' | 'restricted';
    readonly alwaysPullImages: boolean;
    readonly secretsEncryption: { readonly enabled: boolean; readonly customConfig?: unknown };
    readonly audit: {
      readonly enabled: boolean;
      readonly maxAgeDays: number;
      readonly maxBackups: number;
      readonly maxSizeMb: number;
      readonly path: string;
      readonly policy: unknown;
    };
    readonly admissionConfiguration?: unknown;
    readonly eventRateLimit?: unknown;
    readonly sans: readonly string[];
    /** Text of the token webhook's kubeconfig, where the strategy has webhook. */
    readonly webhook?: { readonly configFile?: string; readonly cacheTimeout: string };
    readonly authorizationMode: 'rbac' | 'none';
  };
  readonly controllerManager: ServiceExtras & { readonly clusterCidr: string };
  readonly scheduler: ServiceExtras;
  readonly kubelet: ServiceExtras & {
    readonly clusterDomain: string;
    readonly clusterDnsServer: string;
    readonly failSwapOn: boolean;
    readonly generateServingCertificate: boolean;
  };
  readonly kubeProxy: ServiceExtras;
  readonly network: {
    readonly plugin: 'vxlan' | 'none';
    /** Empty: the interface of the node's internal address. */
    readonly interface: string;
    readonly vxlanPort: number;
    readonly vxlanVni: number;
    readonly mtu: number;
    readonly policy: boolean;
  };
  readonly dns: {
    readonly provider: 'coredns' | 'none';
    readonly upstreamNameservers: readonly string[];
    readonly stubDomains: Readonly<Record<string, readonly string[]>>;
    readonly reverseCidrs: readonly string[];
  };
  readonly metrics: { readonly provider: 'metrics-server' | 'none'; readonly replicas: number };
  readonly addons: readonly string[];
  readonly upgrade: {
    readonly maxUnavailableWorker: string;
    readonly maxUnavailableControlplane: string;
    readonly drain?: DrainInput;
  };
}

export interface ConfigWarning {
  /** The path in the file, e.g. `services.kube-api.extra_binds`. */
  readonly field: string;
  readonly message: string;
}
