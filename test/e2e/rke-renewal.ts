/** Renews certificates of a cluster that `drover rke` made, as a server does it with nobody asking: on the hosts that are there. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  clusterAddons,
  connectSsh,
  defaultBundleDir,
  openBundle,
  readClusterFile,
  readState,
  renewalOf,
  type UpResult,
  up,
  writeState,
} from '@drover/engine';
import type { RkeFolder } from './rke.ts';

export async function renewOnThose(
  { dir }: RkeFolder,
  services: readonly string[],
): Promise<Pick<UpResult, 'leftOut' | 'steps'>> {
  const { spec } = await readClusterFile(await readFile(join(dir, 'cluster.yml'), 'utf8'), { dir });
  const file = join(dir, 'cluster.rkestate');
  const kept = await readState(file, spec);
  if (!kept) throw new Error(`there is no ${file}`);
  const { hostKeys } = kept;
  const bundle = await openBundle(defaultBundleDir());
  const save: Parameters<typeof up>[0]['saveState'] = state => writeState(file, spec, { ...state, hostKeys });
  const { state, ...reached } = await up({
    spec,
    bundle,
    state: kept,
    saveState: save,
    connect: node =>
      connectSsh({
        access: node.ssh,
        host: node.name,
        fingerprint: hostKeys[node.address],
        trust: () => {
          throw new Error(`${node.name} was never seen before`);
        },
      }),
    addons: (wanted, facts) => clusterAddons({ spec: wanted, bundle: bundle.manifest, facts }),
    onEvent: () => undefined,
    onWarning: () => undefined,
    renew: renewalOf(services, 'services'),
    leaveOut: true,
  });
  await save(state);
  return reached;
}
