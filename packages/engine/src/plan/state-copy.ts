/**
 * Copies of a cluster's state on its control planes, for root alone: root there has the cluster anyway, and whoever loses the file beside
 * his config finds it again. Not in the cluster, where everybody who reads Secrets would have its keys.
 */
import { createHash } from 'node:crypto';
import { notFound } from '@drover/base';
import type { ClusterSpec, NodeSpec } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { controlNodes } from '../node/host-input.ts';
import type { SeenHost } from './seen.ts';

/** Named as the original names it. */
const pathOf = (spec: ClusterSpec): string => `/etc/kubernetes/${spec.name}.rkestate`;

/** Writes it where another one is. */
export async function keepStateCopies(
  text: string,
  options: {
    readonly spec: ClusterSpec;
    readonly hosts: ReadonlyMap<string, SeenHost>;
    readonly executor: (host: string) => Executor;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const { spec, hosts, executor, signal } = options;
  const sha256 = createHash('sha256').update(text).digest('hex');
  const path = pathOf(spec);
  const stale = controlNodes(spec).filter(({ name }) => hosts.get(name)?.files.get(path)?.sha256 !== sha256);
  await Promise.all(stale.map(({ name }) => executor(name).put(path, text, { mode: 0o600, signal })));
}

/** From the first control plane that answers and has one. */
export async function readStateCopy(
  spec: ClusterSpec,
  options: { readonly connect: (node: NodeSpec) => Promise<Executor>; readonly signal?: AbortSignal },
): Promise<string> {
  let failure: unknown;
  for (const node of controlNodes(spec)) {
    try {
      await using executor = await options.connect(node);
      const text = await executor.read(pathOf(spec), options);
      if (text !== undefined) return text.toString();
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure ?? notFound('state', `${pathOf(spec)} on any control plane`);
}
