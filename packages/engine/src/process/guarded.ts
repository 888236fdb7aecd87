/**
 * A child process that never outlives us. Between us and it stands a small shell that holds the other end of a pipe: when we
 * die, by kill -9 too, the pipe closes and the shell ends the child. (PR_SET_PDEATHSIG is out of reach from Node.)
 */
import { spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { internal } from '@drover/base';
import { identify, type ProcessIdentity } from './identity.ts';

export interface GuardedOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Where its output goes: open file descriptors, or nowhere, or to us. */
  readonly stdout: number | 'ignore';
  readonly stderr: number | 'pipe';
  /** How long the shell waits between SIGTERM and SIGKILL once we are gone. */
  readonly orphanGraceSeconds?: number;
}

export interface Guarded {
  /** The child's own, not the shell's. */
  readonly identity: ProcessIdentity;
  /** What it says there, where that was to come to us. */
  readonly stderr: Readable | undefined;
  /** How it ended: `exit code 1`, `signal 9`. Never rejects. */
  readonly ended: Promise<string>;
}

// Descriptor 3 is the pipe. The child gets neither it nor our stdin; its pid comes back through it.
const script = `
grace=$1; shift
"$@" 3<&- </dev/null &
child=$!
echo "$child" >&3
(
  exec >/dev/null 2>&1
  read -r line <&3
  kill -TERM "$child"
  while [ "$grace" -gt 0 ] && kill -0 "$child"; do sleep 1; grace=$((grace - 1)); done
  kill -KILL "$child"
) &
guard=$!
exec 3<&-
wait "$child"
code=$?
kill -KILL "$guard" 2>/dev/null
exit "$code"
`;

/** Starts the command under a guard. Throws InternalError saying how it ended when it was gone before it could be looked at. */
export async function startGuarded(options: GuardedOptions): Promise<Guarded> {
  const grace = String(options.orphanGraceSeconds ?? 3);
  const shell = spawn('/bin/sh', ['-c', script, 'guard', grace, options.command, ...options.args], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', options.stdout, options.stderr, 'pipe'],
    // A session of its own: Ctrl-C on our terminal must not reach it, we end things in their order.
    detached: true,
  });
  const pipe = shell.stdio[3] as Duplex;
  pipe.on('error', () => {});
  const ended = new Promise<string>(resolve => {
    shell.on('error', error => resolve(error.message));
    shell.on('exit', (code, signal) => {
      // If it was the shell that was killed, this is what ends the child.
      pipe.destroy();
      resolve(describeEnd(code, signal));
    });
  });
  const line = await Promise.race([firstLine(pipe), ended]);
  const identity = /^\d+$/.test(line) ? await identify(Number(line)) : undefined;
  if (!identity) {
    pipe.destroy();
    throw internal(`did not start: ${await ended}`);
  }
  return { identity, stderr: shell.stderr ?? undefined, ended };
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `signal ${signal}`;
  // What POSIX shells make of a child that a signal ended.
  return code !== null && code > 128 ? `signal ${code - 128}` : `exit code ${code}`;
}

function firstLine(stream: Duplex): Promise<string> {
  return new Promise(resolve => {
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
  });
}
