/**
 * How far the pod of a shell is, in words for whoever waits: which node, which image, and why not. What can't become anything is said at
 * once; a pod that no node takes is given up after a while.
 */
import { type Condition, findCondition, type Resource, unavailable } from '@drover/base';
import { type KubeClient, pods, waitForObject } from '@drover/kube';
import { shellNamespace } from './shell-pod.ts';

export type PodLook =
  | { readonly is: 'running' }
  /** `placed` once a node has taken it. */
  | { readonly is: 'waiting'; readonly words: string; readonly placed: boolean }
  | { readonly is: 'failed'; readonly words: string };

interface PodStatus {
  readonly phase?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly conditions?: readonly Condition[];
  readonly containerStatuses?: readonly {
    readonly image?: string;
    readonly state?: {
      readonly running?: object;
      readonly waiting?: { readonly reason?: string; readonly message?: string };
      readonly terminated?: { readonly reason?: string; readonly message?: string; readonly exitCode?: number };
    };
  }[];
}

/** A kubelet tries these again and again; nobody who waits for a shell does. */
const hopeless: Readonly<Record<string, string>> = {
  ErrImagePull: 'its image can’t be pulled',
  ImagePullBackOff: 'its image can’t be pulled',
  ErrImageNeverPull: 'its image can’t be pulled',
  InvalidImageName: 'its image can’t be pulled',
  ImageInspectError: 'its image can’t be used',
  CreateContainerConfigError: 'its container can’t be made',
  CreateContainerError: 'its container can’t be made',
  RunContainerError: 'its container can’t be started',
};

export function lookAtPod(pod: Resource | undefined): PodLook {
  if (!pod) return { is: 'failed', words: 'its pod was removed' };
  const { phase, reason, message, conditions, containerStatuses } = (pod.status ?? {}) as PodStatus;
  const { nodeName } = (pod.spec ?? {}) as { readonly nodeName?: string };
  const state = containerStatuses?.[0]?.state;
  const { terminated, waiting } = state ?? {};
  if (terminated || phase === 'Failed' || phase === 'Succeeded') {
    const why = terminated?.message || terminated?.reason || message || reason || 'without a reason';
    return { is: 'failed', words: `its container ended: ${why}` };
  }
  if (state?.running) return { is: 'running' };
  if (pod.metadata.deletionTimestamp) return { is: 'failed', words: 'its pod was removed' };
  const what = waiting?.reason ? hopeless[waiting.reason] : undefined;
  if (what) return { is: 'failed', words: `${what}: ${waiting!.message || waiting!.reason}` };
  if (!nodeName) {
    const scheduled = findCondition(conditions, 'PodScheduled');
    return { is: 'waiting', words: `no node has taken it yet${said(scheduled?.message)}`, placed: false };
  }
  return { is: 'waiting', words: `node ${nodeName} is getting it ready${said(waiting?.message)}`, placed: true };
}

const said = (text: string | undefined): string => (text ? `: ${text}` : '');

export interface PodWait {
  /** Told of each new thing that it waits for. */
  readonly say: (words: string) => void;
  readonly signal: AbortSignal;
  /** For all of it, the pull of the image among it. */
  readonly timeoutMs?: number;
  /** For a node to take it. */
  readonly placeMs?: number;
}

/** Resolves once the container runs; throws Unavailable in words where it won't. */
export async function waitForShellPod(client: KubeClient, name: string, options: PodWait): Promise<void> {
  const { say, signal, timeoutMs = 180_000, placeMs = 20_000 } = options;
  const unplaced = new AbortController();
  let look: PodLook = { is: 'waiting', words: '', placed: false };
  const timer = setTimeout(() => {
    if (look.is === 'waiting' && !look.placed) unplaced.abort(unavailable(look.words || 'no node has taken it'));
  }, placeMs);
  const wanted = (pod: Resource | undefined): boolean => {
    const now = lookAtPod(pod);
    if (now.is === 'waiting' && (look.is !== 'waiting' || look.words !== now.words)) say(now.words);
    look = now;
    return now.is !== 'waiting';
  };
  try {
    await waitForObject(
      client,
      { ref: pods, name, what: 'its container to run' },
      { namespace: shellNamespace, timeoutMs, wanted, signal: AbortSignal.any([signal, unplaced.signal]) },
    );
  } catch (error) {
    throw unplaced.signal.aborted && !signal.aborted ? unplaced.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
  const end = look as PodLook;
  if (end.is === 'failed') throw unavailable(end.words);
}
