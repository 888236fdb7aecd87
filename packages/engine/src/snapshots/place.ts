/** Where snapshots lie on a host, and how the program that makes and verifies them there is run. */
import { unavailable } from '@drover/base';
import type { ClusterSpec, NodeSpec, S3Place } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { bundlesDir, certFile, keyFile } from '../node/paths.ts';
import { etcdCertName } from '../pki/cluster-certs.ts';

/** Where the original has them, too. */
export const snapshotsDir = '/opt/rke/etcd-snapshots';

/** Of the program, as tools/node-binaries/etcd-snapshots reads them. With S3 they hold its secret key: for root's files and pipes alone. */
export function snapshotSettings(spec: ClusterSpec, node: NodeSpec, s3: S3Place | undefined): object {
  const { intervalHours, retention, timeoutSeconds, safeTimestamp } = spec.etcd.snapshots;
  const name = etcdCertName(node);
  return {
    dir: snapshotsDir,
    cluster: spec.name,
    etcd: {
      endpoint: 'https://127.0.0.1:2379',
      ca: certFile('kube-etcd-ca'),
      cert: certFile(name),
      key: keyFile(name),
    },
    intervalSeconds: intervalHours * 3600,
    retention,
    timeoutSeconds,
    safeTimestamp,
    s3: s3 && { ...s3, secretKey: s3.secretKey?.reveal() },
  };
}

export interface ProgramOptions {
  readonly spec: ClusterSpec;
  readonly node: NodeSpec;
  readonly executor: Executor;
  readonly s3?: S3Place;
  /** What follows the settings on its standard input. */
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/** The newest bundle's that has it. */
const find = `p=$(ls -td ${bundlesDir}/*/bin/etcd-snapshots 2>/dev/null | head -n 1)
[ -n "$p" ] || { echo "its bundle is too old to make snapshots: run up first" >&2; exit 1; }
PATH=$(dirname "$p"):$PATH exec "$p" "$@"`;

/** Runs it on a host; gives what it printed. Throws ServiceUnavailable with its own words. */
export async function runSnapshots(args: readonly string[], options: ProgramOptions): Promise<string> {
  const { spec, node, executor, s3, input = '', signal } = options;
  const stdin = `${JSON.stringify(snapshotSettings(spec, node, s3))}\n${input}`;
  const timeoutMs = (spec.etcd.snapshots.timeoutSeconds + 30) * 1000;
  const argv = ['sh', '-c', find, 'etcd-snapshots', '--settings', '-', ...args];
  const { code, stdout, stderr } = await executor.run(argv, { stdin, timeoutMs, signal });
  if (code !== 0) throw unavailable(`${executor.host}: ${stderr.trim().slice(-1000) || `exit ${code}`}`);
  return stdout;
}
