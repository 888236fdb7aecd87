/**
 * Live: one WebSocket per place (the server itself, or a cluster) that tells when lists have changed. Whoever listens is told again after
 * a break, since something may have been missed; the socket comes back by itself, sooner when the network does.
 */

export type LiveState = 'idle' | 'connecting' | 'open' | 'waiting';

interface Wish {
  readonly resourceType: string;
  readonly namespace?: string;
}

interface Watched {
  readonly wish: Wish;
  readonly listeners: Set<() => void>;
}

const debounceMs = 400;
const firstWaitMs = 500;
const longestWaitMs = 15_000;
/** The server pings every half minute: silence beyond this is a connection that is gone. */
const silentMs = 80_000;
const idleMs = 20_000;

class LiveSocket {
  readonly #url: string;
  readonly #watched = new Map<string, Watched>();
  readonly #onState: (state: LiveState) => void;
  #socket: WebSocket | undefined;
  #waitMs = firstWaitMs;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(path: string, onState: (state: LiveState) => void) {
    this.#url = `${location.origin.replace(/^http/, 'ws')}${path}`;
    this.#onState = onState;
  }

  watch(wish: Wish, listener: () => void): () => void {
    const key = `${wish.resourceType} ${wish.namespace ?? ''}`;
    let held = this.#watched.get(key);
    if (!held) {
      this.#watched.set(key, (held = { wish, listeners: new Set() }));
      if (this.#socket?.readyState === WebSocket.OPEN) this.#start(wish);
    }
    held.listeners.add(listener);
    clearTimeout(this.#idle);
    this.#connect();
    return () => {
      held.listeners.delete(listener);
      if (held.listeners.size > 0 || this.#watched.get(key) !== held) return;
      this.#watched.delete(key);
      this.#send({ ...this.#frameOf(wish), stop: true });
      // The next page mostly wants the same connection.
      if (this.#watched.size === 0) this.#idle = setTimeout(() => this.#rest(), idleMs);
    };
  }

  /** Tries at once, when the network says that it is back. */
  wake(): void {
    if (this.#retry === undefined) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#connect();
  }

  /** Takes a connection for gone, when the network says that it is. */
  cut(): void {
    this.#socket?.close();
  }

  #connect(): void {
    if (this.#socket || this.#retry !== undefined) return;
    this.#onState('connecting');
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      this.#waitMs = firstWaitMs;
      this.#onState('open');
      this.#heard();
      for (const { wish } of this.#watched.values()) this.#start(wish);
    };
    socket.onmessage = ({ data }) => {
      this.#heard();
      this.#take(String(data));
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      clearTimeout(this.#silence);
      if (this.#watched.size === 0) {
        this.#onState('idle');
        return;
      }
      this.#onState('waiting');
      const waitMs = this.#waitMs * (0.75 + Math.random() / 2);
      this.#waitMs = Math.min(longestWaitMs, this.#waitMs * 2);
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#connect();
      }, waitMs);
      // Lists say for themselves why they can't be read.
      if (!wasOpen) for (const held of this.#watched.values()) tell(held);
    };
  }

  #take(text: string): void {
    const frame = JSON.parse(text) as { name: string; resourceType?: string; namespace?: string };
    const held = this.#watched.get(`${frame.resourceType ?? ''} ${frame.namespace ?? ''}`);
    if (!held) return;
    // A watch that has begun (again) may have missed what came before it.
    if (frame.name === 'resource.changes' || frame.name === 'resource.start') tell(held);
    if (frame.name !== 'resource.stop') return;
    setTimeout(() => {
      if (this.#watched.get(`${held.wish.resourceType} ${held.wish.namespace ?? ''}`) === held) this.#start(held.wish);
    }, debounceMs * 5);
  }

  #start(wish: Wish): void {
    this.#send(this.#frameOf(wish));
  }

  #frameOf({ resourceType, namespace }: Wish): object {
    return { resourceType, ...(namespace ? { namespace } : {}), mode: 'resource.changes', debounceMs };
  }

  #send(frame: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#socket?.close(), silentMs);
  }

  #rest(): void {
    if (this.#watched.size > 0) return;
    this.#socket?.close();
  }
}

function tell({ listeners }: Watched): void {
  for (const listener of listeners) listener();
}

const sockets = new Map<string, LiveSocket>();
const states = new Map<string, LiveState>();
const onlookers = new Set<() => void>();

/** Listens for changes of a type: of the server's own where `root` is `/v1`, of a cluster below its own. Answers how to stop. */
export function watchType(root: string, wish: Wish, listener: () => void): () => void {
  let socket = sockets.get(root);
  if (!socket) {
    socket = new LiveSocket(`${root}/subscribe`, state => {
      states.set(root, state);
      for (const onlooker of onlookers) onlooker();
    });
    sockets.set(root, socket);
  }
  return socket.watch(wish, listener);
}

/** Whether every connection that is wanted stands: `waiting` where one is gone. */
export function liveState(): LiveState {
  const all = [...states.values()].filter(state => state !== 'idle');
  return all.includes('waiting')
    ? 'waiting'
    : all.includes('connecting')
      ? 'connecting'
      : all.length > 0
        ? 'open'
        : 'idle';
}

export function onLiveState(listener: () => void): () => void {
  onlookers.add(listener);
  return () => onlookers.delete(listener);
}

if (typeof window !== 'undefined') {
  window.addEventListener('online', () => {
    for (const socket of sockets.values()) socket.wake();
  });
  window.addEventListener('offline', () => {
    for (const socket of sockets.values()) socket.cut();
  });
}
