/**
 * The log of one container, followed over a WebSocket. After a break it comes back by itself from where it was, with a mark in between;
 * a container that can't be followed says why.
 */
import { send } from '../net/request.ts';
import { lineSplitter } from './log-buffer.ts';

export interface LogWish {
  readonly clusterId: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly previous: boolean;
  /** 0 is all that there is. */
  readonly tail: number;
  /** Only what is not older. */
  readonly since?: string;
}

export interface LogListener {
  readonly lines: (texts: readonly string[]) => void;
  /** Something may be missing from here on. */
  readonly gap: () => void;
  readonly failed: (message: string) => void;
}

const firstWaitMs = 1000;
const longestWaitMs = 15_000;

function pathOf({ clusterId, namespace, pod, container, previous }: LogWish, more: Record<string, string>): string {
  const query = new URLSearchParams({
    container,
    timestamps: 'true',
    ...(previous ? { previous: 'true' } : {}),
    ...more,
  });
  return `/k8s/clusters/${clusterId}/api/v1/namespaces/${namespace}/pods/${pod}/log?${query}`;
}

/** Answers how to stop. */
export function followLog(wish: LogWish, listener: LogListener): () => void {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  let waitMs = firstWaitMs;
  let newest = '';
  const connect = (): void => {
    const split = lineSplitter();
    const tail: Record<string, string> = wish.tail > 0 ? { tailLines: String(wish.tail) } : {};
    const from = newest ? { sinceTime: newest } : { ...tail, ...(wish.since ? { sinceTime: wish.since } : {}) };
    const path = pathOf(wish, { ...from, ...(wish.previous ? {} : { follow: 'true' }) });
    socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}${path}`, ['binary.k8s.io']);
    socket.binaryType = 'arraybuffer';
    let wasOpen = false;
    const before = newest;
    socket.onopen = () => {
      wasOpen = true;
      waitMs = firstWaitMs;
    };
    socket.onmessage = ({ data }) => {
      // What was there already comes once more with the second that it is asked from.
      const lines = split(new Uint8Array(data as ArrayBuffer)).filter(
        line => line !== '' && !(before && line.slice(0, line.indexOf(' ')) <= before),
      );
      if (lines.length === 0) return;
      const last = lines.at(-1)!;
      newest = last.slice(0, last.indexOf(' '));
      listener.lines(lines);
    };
    socket.onclose = () => {
      if (ended || wish.previous) return;
      if (!wasOpen) void explain();
      else listener.gap();
      timer = setTimeout(connect, waitMs);
      waitMs = Math.min(longestWaitMs, waitMs * 2);
    };
  };
  /** A browser tells nothing of a WebSocket that was refused: the same is asked once more the plain way. */
  const explain = async (): Promise<void> => {
    await send(pathOf(wish, { limitBytes: '1', tailLines: '1' }), { accept: '*/*' }).catch((error: Error) => {
      if (!ended) listener.failed(error.message);
    });
  };
  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket?.close();
  };
}
