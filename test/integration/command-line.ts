/** `drover …` as a process of its own, with a home of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const cliMain = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A program that runs it, with its arguments. */
  readonly under?: readonly string[];
}

export class CommandLine implements AsyncDisposable {
  readonly home: string;

  constructor(home: string) {
    this.home = home;
  }

  readonly run = async (args: readonly string[], options: RunOptions = {}): Promise<Ran> => {
    const env = {
      PATH: process.env['PATH'],
      HOME: this.home,
      LANG: 'C',
      XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? join(process.env['HOME'] ?? '', '.cache'),
      ...options.env,
    };
    const [program, ...rest] = [...(options.under ?? []), process.execPath, cliMain, ...args];
    const child = spawn(program!, rest, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', text => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', text => (stderr += text));
    child.stdin.on('error', () => {});
    child.stdin.end(options.input);
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(timer);
    return { code: code ?? -1, stdout, stderr };
  };

  /** Its standard output; it must end well. */
  readonly ok = async (args: readonly string[], options: RunOptions = {}): Promise<string> => {
    const ran = await this.run(args, options);
    assert.equal(ran.code, 0, `drover ${args.join(' ')}: ${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }
}

export async function makeCommandLine(): Promise<CommandLine> {
  return new CommandLine(await mkdtemp(join(tmpdir(), 'drover-home-')));
}
