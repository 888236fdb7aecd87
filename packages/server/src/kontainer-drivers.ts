/** The ways of making clusters that the server knows, there from the first start. Whether one is active is an admin's to say. */
import type { V3Data } from '@drover/api';
import { ignoreExists, invalid } from '@drover/base';
import type { Caches, Resources } from './resources/index.ts';

interface Way {
  readonly displayName: string;
  /** The cluster's field that asks for it. */
  readonly field: string;
}

const ways: readonly Way[] = [{ displayName: 'rancherKubernetesEngine', field: 'rancherKubernetesEngineConfig' }];

const idOf = ({ displayName }: Way) => displayName.toLowerCase();

export async function ensureKontainerDrivers(
  resources: Resources,
  caches: Pick<Caches, 'kontainerDriver'>,
): Promise<void> {
  for (const way of ways) {
    if (caches.kontainerDriver.get(idOf(way))) continue;
    const { displayName } = way;
    const spec = { active: true, builtIn: true, url: '' };
    await ignoreExists(
      resources.create('kontainerDriver', { metadata: { name: idOf(way) }, spec, status: { displayName } }),
    );
  }
}

/** Throws Invalid where a new cluster is to be made in a way that is switched off. */
export function requireActiveDriver({ kontainerDriver }: Pick<Caches, 'kontainerDriver'>, input: V3Data): void {
  for (const way of ways)
    if (input[way.field] && kontainerDriver.get(idOf(way))?.spec?.active === false)
      throw invalid(way.field, `the driver "${way.displayName}" is not active`, 'InvalidOption');
}
