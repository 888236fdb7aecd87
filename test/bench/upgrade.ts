/** What a node takes to get to the next minor, with both bundles there: cordoned, all components exchanged, ready again. */
import { findBinaries, kubernetesVersions } from '@drover/engine';
import { makeRkeFolder, nodeOf } from '../e2e/rke.ts';
import { clustersSkipReason, startHosts } from '../hosts/index.ts';
import { lower, type Row } from './row.ts';

const minors = ['1.36', '1.37'];

export const missing = () => clustersSkipReason(minors);

export async function run({ quick = false }: { readonly quick?: boolean } = {}): Promise<Row[]> {
  const count = quick ? 1 : 3;
  await using world = await startHosts({ count });
  await using folder = await makeRkeFolder(world, (await findBinaries({ names: ['kubectl'] })).path('kubectl'));
  const nodes = world.hosts.map(host => nodeOf(host, ['controlplane', 'etcd', 'worker']));
  let seconds = 0;
  for (const minor of minors) {
    await folder.write({ nodes, cluster_name: 'bench', kubernetes_version: kubernetesVersions[minor] });
    const began = performance.now();
    const { code, stderr, events } = await folder.rke(['up']);
    if (code !== 0) throw new Error(`up to ${minor}: ${stderr} ${JSON.stringify(events.at(-1))}`);
    seconds = (performance.now() - began) / 1000;
  }
  const of = count === 1 ? 'of 1 host' : `of ${count} hosts`;
  return [
    lower(`upgrade to the next minor ${of}`, seconds, 's'),
    lower(`upgrade to the next minor ${of}: a node`, seconds / count, 's'),
  ];
}
