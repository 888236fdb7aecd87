/** What it takes to make clusters on hosts with a bundle that is there, and to save and restore one. */
import { findBinaries } from '@drover/engine';
import { makeRkeFolder, nodeOf, type Outcome } from '../e2e/rke.ts';
import { clustersSkipReason, startHosts } from '../hosts/index.ts';
import { lower, type Row } from './row.ts';

export const missing = () => clustersSkipReason();

const roles = ['controlplane', 'etcd', 'worker'];

/** One host; three are a bench of their own, since either takes minutes. */
export async function run(): Promise<Row[]> {
  return await measure(1);
}

export async function measure(count: number): Promise<Row[]> {
  const kubectl = (await findBinaries({ names: ['kubectl'] })).path('kubectl');
  const rows: Row[] = [];
  await using world = await startHosts({ count });
  await using folder = await makeRkeFolder(world, kubectl);
  await folder.write({ nodes: world.hosts.map(host => nodeOf(host, roles)), cluster_name: `bench-${count}` });
  const on = count === 1 ? 'on 1 host' : `on ${count} hosts`;
  const timed = async (what: string, args: readonly string[]) => {
    const began = performance.now();
    const outcome = await folder.rke(args);
    if (outcome.code !== 0)
      throw new Error(`${what} ${on}: ${outcome.stderr} ${JSON.stringify(outcome.events.at(-1))}`);
    const seconds = (performance.now() - began) / 1000;
    process.stderr.write(`${seconds.toFixed(1).padStart(7)} s  ${what} ${on}\n`);
    rows.push(lower(`${what} ${on}`, seconds, 's'));
    return outcome;
  };
  longest(await timed('up, all nodes ready', ['up']));
  await timed('up with nothing to do', ['up']);
  await timed('snapshot, verified, with a copy here', ['etcd', 'snapshot-save', '--name', 'bench']);
  longest(await timed('restore in place, all nodes ready', ['etcd', 'snapshot-restore', '--name', 'bench']));
  await timed('new authorities, three rounds', ['cert', 'rotate', '--rotate-ca']);
  return rows;
}

/** Where the time goes, for whoever wants it shorter. */
function longest({ events }: Outcome): void {
  const done = events.filter(({ state }) => state === 'done').sort((a, b) => (b.tookMs ?? 0) - (a.tookMs ?? 0));
  for (const { step, tookMs = 0 } of done.slice(0, 12))
    process.stderr.write(`${(tookMs / 1000).toFixed(1).padStart(7)} s  ${step}\n`);
}
