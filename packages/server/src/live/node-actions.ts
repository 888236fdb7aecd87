/**
 * Nodes kept free or emptied, as the caller: cordon and uncordon at once, drain in the background pod by pod, as far as their
 * disruption budgets let it. What became of a drain shows as the node's condition Drained.
 */
import type { ManagedNode, V3Data } from '@drover/api';
import { invalid, messageOf, setCondition } from '@drover/base';
import { checkDrain, type DrainOptions, emptyNode, nodes } from '@drover/kube';
import type { ApiRequest, ApiView } from '../api/behaviour.ts';
import { noteRead } from '../resources/index.ts';
import { asCaller } from './as-caller.ts';

const defaultTimeoutMs = 120_000;
/** What is being emptied by this server; one that stops ends with it, and the node stays cordoned. */
const draining = new Map<string, AbortController>();
/** Of the map above. */
const drains = { changes: 0 };

const keyOf = ({ metadata }: ManagedNode): string => `${metadata.namespace}:${metadata.name}`;

function nodeOf(node: ManagedNode): { clusterId: string; name: string } {
  const name = node.status?.nodeName;
  if (!name) throw invalid('action', 'the node is not in its cluster yet', 'InvalidAction');
  return { clusterId: node.metadata.namespace ?? '', name };
}

export async function setUnschedulable(request: ApiRequest, node: ManagedNode, unschedulable: boolean): Promise<void> {
  const { clusterId, name } = nodeOf(node);
  const patch = { spec: { unschedulable: unschedulable || null } };
  await asCaller(request, clusterId).patch(nodes, name, patch, { type: 'merge' });
}

export const isCordoned = (_: ApiView, node: ManagedNode): boolean => node.spec?.unschedulable === true;
export function isDraining(_: ApiView, node: ManagedNode): boolean {
  noteRead(drains);
  return draining.has(keyOf(node));
}

function begin(key: string, stop: AbortController): void {
  draining.set(key, stop);
  drains.changes++;
}

function end(key: string): void {
  draining.delete(key);
  drains.changes++;
}

function optionsOf(input: V3Data): DrainOptions {
  const number = (field: string, fallback: number) => {
    const value = input[field] ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value))
      throw invalid(field, 'must be a whole number', 'InvalidFormat');
    return value;
  };
  const seconds = number('timeout', defaultTimeoutMs / 1000);
  if (seconds < 1 || seconds > 10_800) throw invalid('timeout', 'must be from 1 to 10800 seconds', 'InvalidFormat');
  return {
    deleteLocalData: input['deleteLocalData'] === true,
    force: input['force'] === true,
    gracePeriod: number('gracePeriod', -1),
    ignoreDaemonSets: input['ignoreDaemonSets'] !== false,
    timeoutMs: seconds * 1000,
  };
}

/** Cordons the node and begins to empty it; resolves when that has begun. Throws where the caller may not evict. */
export async function drain(request: ApiRequest, node: ManagedNode, input: V3Data): Promise<void> {
  const key = keyOf(node);
  if (draining.has(key)) throw invalid('action', 'the node is being drained already', 'InvalidAction');
  const options = optionsOf(input);
  const { clusterId, name } = nodeOf(node);
  const client = asCaller(request, clusterId);
  const stop = new AbortController();
  begin(key, stop);
  try {
    await setUnschedulable(request, node, true);
    await checkDrain(client, name, options);
  } catch (error) {
    end(key);
    throw error;
  }
  await tell(request, node, { status: 'Unknown', message: 'pods are being evicted' });
  void emptyNode(client, name, { ...options, signal: stop.signal })
    .then(
      () => tell(request, node, { status: 'True', message: '' }),
      error => {
        const stopped = stop.signal.aborted ? 'it was stopped' : messageOf(error);
        return tell(request, node, { status: 'False', message: stopped });
      },
    )
    .catch(error => request.deps.log.warn({ node: key, reason: messageOf(error) }, 'a drain could not be told of'))
    .finally(() => end(key));
}

/** Whoever may keep the node free may: asked of the cluster by keeping it as it is. */
export async function stopDrain(request: ApiRequest, node: ManagedNode): Promise<void> {
  const running = draining.get(keyOf(node));
  if (!running) throw invalid('action', 'the node is not being drained', 'InvalidAction');
  await setUnschedulable(request, node, true);
  running.abort(new Error('stopped'));
}

async function tell(
  { deps }: ApiRequest,
  { metadata }: ManagedNode,
  { status, message }: { status: 'True' | 'False' | 'Unknown'; message: string },
): Promise<void> {
  const { name, namespace } = metadata;
  await deps.resources.modify('node', { name, namespace }, seen => {
    const conditions = setCondition(seen.status?.conditions, { type: 'Drained', status, message });
    return conditions === seen.status?.conditions ? undefined : { ...seen, status: { ...seen.status, conditions } };
  });
}
