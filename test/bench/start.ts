/** How soon a server answers /readyz, on a fresh data directory and on one that is there, and what it holds in memory idle. */
import { rm } from 'node:fs/promises';
import { sleep } from '@drover/base';
import { type ServerProcess, startServer } from '../server-process.ts';
import { residentMb } from './process-figures.ts';
import { lower, type Row } from './row.ts';

/** After the start's own garbage is gone. */
const settleMs = 5000;

async function readyMs(server: ServerProcess): Promise<number> {
  const answer = await server.fetch('GET', '/readyz');
  if (answer.status !== 200) throw new Error(`/readyz answered ${answer.status}`);
  return server.readyMs;
}

export async function run(options: { readonly quick?: boolean } = {}): Promise<Row[]> {
  const fresh = await startServer();
  const dataDir = fresh.dataDir;
  try {
    const first = await readyMs(fresh);
    await fresh.stop();
    const again: number[] = [];
    let idleMb = 0;
    for (let round = 0; round < (options.quick ? 1 : 5); round++) {
      await using server = await startServer({ dataDir });
      again.push(await readyMs(server));
      if (round > 0) continue;
      await sleep(settleMs);
      idleMb = await residentMb(server.child.pid!);
    }
    const median = again.sort((a, b) => a - b)[again.length >> 1]!;
    return [
      lower('start, fresh data directory: ready after', first, 'ms'),
      lower('start again: ready after', median, 'ms'),
      lower('idle server: memory', idleMb, 'MB'),
    ];
  } finally {
    await fresh.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
