/** The real kubectl, run as its users do: with a kubeconfig file and nothing else from the environment. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { timedOut } from '@drover/base';
import { findKubeBinaries } from '../integration/kube-binaries.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly kubeconfig: string;
  readonly input?: string | Buffer;
  readonly timeoutMs?: number;
}

function spawnKubectl(args: readonly string[], kubeconfig: string): ChildProcess {
  const binary = `${findKubeBinaries('kubectl')}/kubectl`;
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', KUBECONFIG: kubeconfig };
  return spawn(binary, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Runs to its end and answers code and output, whatever the code. */
export async function runKubectl(args: readonly string[], options: RunOptions): Promise<Ran> {
  const child = spawnKubectl(args, options.kubeconfig);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on('data', chunk => out.push(chunk));
  child.stderr!.on('data', chunk => err.push(chunk));
  child.stdin!.on('error', () => {});
  child.stdin!.end(options.input);
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  const ran = { stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
  if (code === null) throw timedOut(`kubectl ${args.join(' ')} was ended after its time: ${ran.stdout}${ran.stderr}`);
  return { code, ...ran };
}

/** Runs to its end and answers what it printed; throws with its error when it failed. */
export async function kubectl(args: readonly string[], options: RunOptions): Promise<string> {
  const ran = await runKubectl(args, options);
  if (ran.code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${ran.code}: ${ran.stderr || ran.stdout}`);
  return ran.stdout;
}

export interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<unknown>;
}

/** Starts one that goes on by itself, such as a watch; ended when it goes out of scope. */
export function startKubectl(args: readonly string[], kubeconfig: string): Running {
  const child = spawnKubectl(args, kubeconfig);
  let text = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (more: string) => (text += more));
  const exited = once(child, 'close');
  return {
    child,
    output: () => text,
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
