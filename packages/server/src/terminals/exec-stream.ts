/** A command in a container as channels over one WebSocket. What it writes can be held back: then the command waits. */
import type { KubeClient } from '@drover/kube';
import type { WebSocket } from 'ws';
import { type ContainerTarget, podPath } from './container-target.ts';

export interface ExecWish {
  readonly target: ContainerTarget;
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
}

export interface ExecListener {
  readonly output: (bytes: Buffer, channel: 'stdout' | 'stderr') => void;
  /** Why it ended; empty where it ended well. */
  readonly ended: (why: string) => void;
}

/** What a terminal has of the command that runs in it. */
export interface RunningCommand {
  /** Resolves when more may be written. */
  write(bytes: Buffer): Promise<void>;
  resize(columns: number, rows: number): void;
  pause(): void;
  resume(): void;
  close(): void;
}

export type TerminalSize = readonly [columns: number, rows: number];

/** Undefined for what can't be the size of a terminal. */
export function readSize(columns: unknown, rows: unknown): TerminalSize | undefined {
  return isSize(columns) && isSize(rows) ? [columns, rows] : undefined;
}

const isSize = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) < 10_000;

const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4 } as const;
/** It can't say that nothing more comes: whatever reads is told how much there will be. */
const protocols = ['v4.channel.k8s.io'];

export class ExecStream implements RunningCommand {
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Rejects with what the cluster answers. The signal ends it. */
  static async open(
    client: KubeClient,
    { target, command, tty, stdin }: ExecWish,
    { listener, signal }: { readonly listener: ExecListener; readonly signal: AbortSignal },
  ): Promise<ExecStream> {
    const socket = await client.upgrade(podPath(target, '/exec'), {
      protocols,
      signal,
      query: {
        ...(target.container ? { container: target.container } : {}),
        command: [...command],
        stdout: true,
        stderr: !tty,
        tty,
        stdin,
      },
    });
    let why = '';
    socket.on('message', (data: Buffer) => {
      const body = data.subarray(1);
      if (data[0] === channels.stdout) listener.output(body, 'stdout');
      else if (data[0] === channels.stderr) listener.output(body, 'stderr');
      else if (data[0] === channels.status) why = reasonOf(body.toString('utf8'));
    });
    socket.once('close', () => listener.ended(why));
    return new ExecStream(socket);
  }

  write(bytes: Buffer): Promise<void> {
    return new Promise(resolve => this.#send(channels.stdin, bytes, resolve));
  }

  resize(columns: number, rows: number): void {
    this.#send(channels.resize, Buffer.from(JSON.stringify({ Width: columns, Height: rows })));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.close();
  }

  #send(channel: number, body: Buffer, done?: () => void): void {
    this.#socket.send(Buffer.concat([Buffer.of(channel), body]), () => done?.());
  }
}

function reasonOf(text: string): string {
  try {
    const status = JSON.parse(text) as { status?: string; message?: string };
    return status.status === 'Success' ? '' : (status.message ?? text);
  } catch {
    return text;
  }
}
