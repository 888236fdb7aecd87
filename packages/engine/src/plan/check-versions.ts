/**
 * Whether a cluster may go from the versions that run to the bundle's: forward, and over one minor at a time, as Kubernetes itself
 * allows. Asked before anything is changed; pure but for asking hosts whose cluster doesn't answer.
 */
import { invalid } from '@drover/base';
import type { Executor } from '../hosts/executor.ts';
import { unitsDir } from '../node/paths.ts';
import type { SeenCluster } from './seen.ts';

/** Throws Invalid naming what runs, and what would be right. `running`: of API servers and kubelets. */
export function checkVersions(wanted: string, running: readonly string[]): void {
  const known = running.filter(version => /^v?\d+\.\d+/.test(version)).sort((a, b) => minorOf(a) - minorOf(b));
  const [lowest, highest] = [known[0], known.at(-1)];
  if (lowest === undefined || highest === undefined) return;
  const field = 'kubernetes_version';
  if (minorOf(wanted) < minorOf(highest))
    throw invalid(
      field,
      `${wanted} is older than ${highest}, which runs: Kubernetes can't go back. Name ${highest}, or restore a snapshot of before`,
    );
  if (minorOf(wanted) > minorOf(lowest) + 1)
    throw invalid(
      field,
      `${wanted} is more than one minor above ${lowest}, which runs: go to ${nextMinor(lowest)} on all hosts first`,
    );
}

/**
 * Whether this Kubernetes reads what a snapshot holds: of its own minor, or of the one before. An older one would find what it does not know,
 * and a much newer one what it knows no more. Throws Invalid naming both.
 */
export function checkRestoredVersion(wanted: string, madeUnder: string): void {
  if (!/^v?\d+\.\d+/.test(madeUnder)) return;
  const above = minorOf(wanted) - minorOf(madeUnder);
  if (above === 0 || above === 1) return;
  const why = above < 0 ? 'an older Kubernetes can’t read it' : 'that is more than one minor between them';
  throw invalid(
    'kubernetes_version',
    `is ${wanted}, and the snapshot was made under ${madeUnder}: ${why}. Restore it to ${madeUnder}, then upgrade; nothing was changed`,
  );
}

export function runningVersions({ version, nodes }: SeenCluster): string[] {
  return [version, ...nodes.map(({ kubeletVersion }) => kubeletVersion)];
}

/** Of the programs that units of ours start on this host. */
export async function versionsOnHost(executor: Executor, signal?: AbortSignal): Promise<string[]> {
  const script = `for name in kube-apiserver kubelet; do
  program=$(sed -n 's/^ExecStart=\\([^ ]*\\).*/\\1/p' ${unitsDir}/drover-$name.service 2>/dev/null)
  [ -x "$program" ] && "$program" --version
done
true`;
  const { stdout } = await executor.run(['sh', '-c', script], { timeoutMs: 60_000, signal });
  return [...stdout.matchAll(/^Kubernetes (v\S+)$/gm)].map(([, version]) => version!);
}

/** 1.37 → 1037. */
function minorOf(version: string): number {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major * 1000 + minor;
}

function nextMinor(version: string): string {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return `${major}.${minor + 1}`;
}
