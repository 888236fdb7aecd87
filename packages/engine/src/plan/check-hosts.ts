/** Judges hosts before the first step, where one of them is new: all problems of all hosts at once, or none. */
import { invalid } from '@drover/base';
import type { Bundle } from '../bundle/bundle.ts';
import type { ClusterSpec } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { gatherFacts } from '../hosts/facts.ts';
import { judgeHosts } from '../hosts/preflight.ts';
import type { Certificates } from '../pki/cluster-certs.ts';

export interface CheckHostsOptions {
  readonly spec: ClusterSpec;
  readonly bundle: Bundle;
  readonly certificates: Certificates;
  /** By the node's name. */
  readonly executors: ReadonlyMap<string, Executor>;
  readonly onWarning: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** Throws Invalid naming everything that has to be mended first; nothing was changed then. */
export async function checkHosts(options: CheckHostsOptions): Promise<void> {
  const { spec, bundle, certificates, executors, onWarning, signal } = options;
  const hosts = await Promise.all(
    spec.nodes.map(async node => ({ node, facts: await gatherFacts(executors.get(node.name)!, signal) })),
  );
  const { manifest } = bundle;
  const problems = judgeHosts({
    spec,
    hosts,
    authorities: [certificates['kube-ca']!.cert],
    platform: manifest.platform,
    bundleBytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
  });
  const say = ({ host, field, message }: (typeof problems)[number]) => `${host}: ${field}: ${message}`;
  for (const problem of problems) if (problem.severity === 'warning') onWarning(say(problem));
  const errors = problems.filter(({ severity }) => severity === 'error').map(say);
  if (errors.length > 0) throw invalid('hosts', `nothing was changed, since\n${errors.join('\n')}`);
}
