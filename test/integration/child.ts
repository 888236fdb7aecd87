/**
 * A child process of a test, with its output in a file. It is watched over by a shell that waits on a pipe from us: when
 * the test ends in whatever way, kill -9 included, the pipe closes and the child goes too.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Resolves with the exit code when it has ended, by itself or by us. */
  readonly exited: Promise<number>;
  /** The last lines that it wrote. */
  tail(): Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

// The child's stdin must not be the pipe, and cat must not hold the pid's pipe open.
const watch = `exec 4<&0 </dev/null
"$@" 3>&- 4<&- & child=$!
echo $child >&3; exec 3>&-
{ cat <&4 >/dev/null; kill -9 $child 2>/dev/null; } & watch=$!
exec 4<&-
wait $child; code=$?
kill $watch 2>/dev/null; exit $code`;

/** Starts the command; output goes to `logPath`. Disposing kills it at once and waits until it is gone. */
export async function startChild(
  command: string,
  args: readonly string[],
  options: { readonly logPath: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Child> {
  const log = openSync(options.logPath, 'a', 0o600);
  const shell = spawn('/bin/sh', ['-c', watch, 'sh', command, ...args], {
    stdio: ['pipe', log, log, 'pipe'],
    env: options.env ?? process.env,
    // A process group of its own: a signal to ours (Ctrl-C) must not take the watch away and leave the child.
    detached: true,
  });
  closeSync(log);
  const exited = new Promise<number>((resolve, reject) => {
    shell.once('error', reject);
    shell.once('exit', code => resolve(code ?? -1));
  });
  shell.stdin!.on('error', () => {});
  const pid = Number(await text(shell.stdio[3] as NodeJS.ReadableStream));
  return {
    pid,
    exited,
    tail: async () => (await readFile(options.logPath, 'utf8')).split('\n').slice(-30).join('\n'),
    kill: signal => {
      if (shell.exitCode === null && shell.signalCode === null) process.kill(pid, signal);
    },
    async [Symbol.asyncDispose]() {
      shell.stdin!.end();
      await exited;
    },
  };
}
