/** A command in a container over a WebSocket, as the cluster's own protocol has it: a byte that says which stream, then what was said. */

export interface ExecWish {
  readonly clusterId: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
}

export interface Exec {
  readonly write: (text: string) => void;
  readonly resize: (columns: number, rows: number) => void;
  readonly close: () => void;
}

export interface ExecListener {
  readonly opened: () => void;
  readonly output: (bytes: Uint8Array) => void;
  /** Why it ended; empty where it ended by itself. */
  readonly ended: (why: string) => void;
}

const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4 } as const;

export function openExec({ clusterId, namespace, pod, container, command }: ExecWish, listener: ExecListener): Exec {
  const query = new URLSearchParams({ container, stdin: 'true', stdout: 'true', tty: 'true' });
  for (const word of command) query.append('command', word);
  const path = `/k8s/clusters/${clusterId}/api/v1/namespaces/${namespace}/pods/${pod}/exec?${query}`;
  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}${path}`, ['v4.channel.k8s.io']);
  socket.binaryType = 'arraybuffer';
  let why = '';
  const send = (channel: number, text: string): void => {
    if (socket.readyState !== WebSocket.OPEN) return;
    const body = new TextEncoder().encode(text);
    const frame = new Uint8Array(body.length + 1);
    frame[0] = channel;
    frame.set(body, 1);
    socket.send(frame);
  };
  socket.onopen = () => listener.opened();
  socket.onmessage = ({ data }) => {
    const frame = new Uint8Array(data as ArrayBuffer);
    const body = frame.subarray(1);
    if (frame[0] === channels.stdout || frame[0] === channels.stderr) listener.output(body);
    else if (frame[0] === channels.status) why = reasonOf(new TextDecoder().decode(body));
  };
  socket.onclose = () => listener.ended(why);
  return {
    write: text => send(channels.stdin, text),
    resize: (columns, rows) => send(channels.resize, JSON.stringify({ Width: columns, Height: rows })),
    close: () => socket.close(),
  };
}

function reasonOf(text: string): string {
  try {
    const status = JSON.parse(text) as { status?: string; message?: string };
    return status.status === 'Success' ? '' : (status.message ?? text);
  } catch {
    return text;
  }
}
