/** Judges hosts before the first step, where one of them is new: all problems of all hosts at once, or none. */
import { invalid, unavailable } from '@drover/base';
import type { Bundle } from '../bundle/bundle.ts';
import type { ClusterSpec } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { gatherFacts } from '../hosts/facts.ts';
import { judgeHosts } from '../hosts/preflight.ts';
import { checkWays } from '../hosts/ways.ts';
import type { Certificates } from '../pki/cluster-certs.ts';
import { splitCertificates } from '../pki/rotation.ts';

export interface CheckHostsOptions {
  readonly spec: ClusterSpec;
  readonly bundle: Bundle;
  readonly certificates: Certificates;
  /** By the node's name; those that could not be reached are not there. */
  readonly executors: ReadonlyMap<string, Executor>;
  /** What is known to be wrong already, a line each: hosts that can't be reached. */
  readonly unreachable: readonly string[];
  /** Whether the ways between hosts are tried. */
  readonly tryWays: boolean;
  readonly onWarning: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** Throws naming everything that has to be mended first; nothing was changed then. */
export async function checkHosts(options: CheckHostsOptions): Promise<void> {
  const { spec, bundle, certificates, executors, unreachable, tryWays, onWarning, signal } = options;
  const reached = spec.nodes.flatMap(node => {
    const executor = executors.get(node.name);
    return executor ? [{ node, executor }] : [];
  });
  const hosts = await Promise.all(
    reached.map(async ({ node, executor }) => ({ node, executor, facts: await gatherFacts(executor, signal) })),
  );
  const { manifest } = bundle;
  const judged = judgeHosts({
    spec,
    hosts,
    authorities: splitCertificates(certificates['kube-ca']!.cert),
    platform: manifest.platform,
    bundleBytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
  });
  // Whose first process is another, or who is another's, is not made to listen.
  const isOpen = !judged.some(({ field, severity }) => severity === 'error' && ['systemd', 'cluster'].includes(field));
  const problems = [...judged, ...(tryWays && isOpen ? await checkWays({ spec, hosts, signal }) : [])];
  const say = ({ host, field, message }: (typeof problems)[number]) => `${host}: ${field}: ${message}`;
  for (const problem of problems) if (problem.severity === 'warning') onWarning(say(problem));
  const errors = problems.filter(({ severity }) => severity === 'error').map(say);
  if (errors.length > 0)
    throw invalid('hosts', `nothing was changed, since\n${[...unreachable, ...errors].join('\n')}`);
  if (unreachable.length > 0)
    throw unavailable(`not all hosts can be reached, so nothing was changed:\n${unreachable.join('\n')}`);
}
