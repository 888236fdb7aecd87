/** Load on a cluster while it is upgraded: the client that controllers are made of, and what its every line has to say. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const sources = fileURLToPath(new URL('../../tools/api-load', import.meta.url));

/** Its path; built each time, which the Go cache makes short. */
export async function buildApiLoad(): Promise<string> {
  const path = join(tmpdir(), `drover-api-load-${process.pid}`);
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' };
  await promisify(execFile)('go', ['build', '-trimpath', '-o', `${path}.part`, '.'], { cwd: sources, env });
  await rename(`${path}.part`, path);
  return path;
}

export interface Line {
  readonly at: number;
  readonly get?: string;
  readonly ack?: string;
  readonly read?: string;
  readonly value?: number;
  readonly ms?: number;
  readonly error?: string;
}

export interface ApiLoad extends AsyncDisposable {
  readonly lines: readonly Line[];
  /** Lets what runs end. */
  stop(): Promise<void>;
}

export function startApiLoad(program: string, kubeconfig: string): ApiLoad {
  const child = spawn(program, ['--kubeconfig', kubeconfig], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const lines: Line[] = [];
  createInterface(child.stdout).on('line', line => lines.push(JSON.parse(line) as Line));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { lines, stop, [Symbol.asyncDispose]: stop };
}

export interface Verdict {
  readonly gets: number;
  readonly errors: readonly string[];
  /** Between the ends of two questions that were answered, one after the other. */
  readonly longestGapMs: number;
  readonly acknowledged: number;
  /** Writes that were acknowledged and not there when they were read again. */
  readonly lost: readonly string[];
}

/** Pure. One writer an object, so that what it read back has to be what it last wrote, or what it tried to since. */
export function judge(lines: readonly Line[]): Verdict {
  const errors = lines.flatMap(({ get, error }) => (get !== undefined && error ? [error] : []));
  const answered = lines.filter(({ get, error }) => get !== undefined && !error).map(({ at }) => at);
  const gaps = answered.slice(1).map((at, index) => at - answered[index]!);
  const acknowledged = new Map<string, number>();
  const tried = new Map<string, number>();
  const lost: string[] = [];
  let count = 0;
  for (const { ack, read, value = 0, error } of lines) {
    if (ack !== undefined) {
      tried.set(ack, value);
      if (error) continue;
      acknowledged.set(ack, value);
      count++;
    } else if (read !== undefined && !error) {
      const [least, most] = [acknowledged.get(read) ?? 0, tried.get(read) ?? 0];
      if (value < least || value > most) lost.push(`${read} is ${value} after ${least} was acknowledged`);
    }
  }
  return {
    gets: answered.length + errors.length,
    errors,
    longestGapMs: Math.max(0, ...gaps),
    acknowledged: count,
    lost,
  };
}
