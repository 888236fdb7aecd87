/** `remove`: takes a cluster off its hosts, all of them, leaving nothing behind. Hosts that can't be reached are named, not waited for. */
import { messageOf, unavailable } from '@drover/base';
import type { NodeSpec } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { resetHost } from './reset.ts';
import type { StepEvent } from './run.ts';

export interface RemoveOptions {
  readonly nodes: readonly NodeSpec[];
  readonly connect: (node: NodeSpec) => Promise<Executor>;
  readonly onEvent: (event: StepEvent) => Promise<void> | void;
  readonly signal?: AbortSignal;
}

/** Throws ServiceUnavailable naming the hosts that were not cleaned, once all others are. */
export async function removeCluster({ nodes, connect, onEvent, signal }: RemoveOptions): Promise<void> {
  const failures: string[] = [];
  const clean = async (node: NodeSpec) => {
    const told = { stage: 'remove', step: `remove/${node.name}`, title: 'clean the host', host: node.name };
    const began = performance.now();
    const ended = () => ({ at: new Date().toISOString(), tookMs: Math.round(performance.now() - began) });
    await onEvent({ ...told, state: 'started', at: new Date().toISOString() });
    try {
      await using executor = await connect(node);
      await resetHost(executor, { signal });
    } catch (error) {
      failures.push(`${node.name}: ${messageOf(error)}`);
      return await onEvent({ ...told, state: 'failed', ...ended(), error: messageOf(error) });
    }
    await onEvent({ ...told, state: 'done', ...ended() });
  };
  await Promise.all(nodes.map(clean));
  if (failures.length > 0) throw unavailable(`not all hosts were cleaned:\n${failures.sort().join('\n')}`);
}
