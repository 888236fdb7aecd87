/**
 * A bundle: all that a host needs to be a Kubernetes node, of fixed versions, each file under its checksum. As a directory or
 * as one tar; nothing in it is fetched from anywhere once it is built.
 */

export interface BundleFile {
  /** Within the bundle: `bin/NAME` (kube-apiserver, etcd, containerd, runc, flanneld, crictl, …), `cni/NAME`, `images/NAME.tar`. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly executable: boolean;
}

export interface BundleImage {
  /** The name that pods use, with a tag. */
  readonly name: string;
  /** Of the tar, `images/…`. */
  readonly path: string;
}

export interface BundleManifest {
  readonly format: 1;
  /** SHA-256 over the files' checksums: two bundles of one id are the same. */
  readonly id: string;
  /** Of what it was put together from: another one is made when that changes. */
  readonly madeFrom: string;
  /** `linux-amd64`. */
  readonly platform: string;
  /** By component, e.g. `{ kubernetes: 'v1.36.3', etcd: 'v3.6.8', containerd: … }`. */
  readonly versions: Readonly<Record<string, string>>;
  readonly files: readonly BundleFile[];
  /** By role: `pause`, `coredns`, `metrics-server`, `agent`. */
  readonly images: Readonly<Record<string, BundleImage>>;
}

/** An opened one; its files are on this machine. */
export interface Bundle {
  readonly manifest: BundleManifest;
  /** This machine's path of a file of the manifest; throws NotFound for others. */
  file(path: string): string;
}
