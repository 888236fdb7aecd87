/** The drivers that are there from the first start: one for each cloud that the server knows. Whether one is active is an admin's to say. */
import { clouds } from '@drover/api';
import { ignoreExists } from '@drover/base';
import type { Caches, Resources } from './resources/index.ts';

export async function ensureNodeDrivers(resources: Resources, caches: Pick<Caches, 'nodeDriver'>): Promise<void> {
  for (const { id, hosts } of clouds) {
    if (caches.nodeDriver.get(id)) continue;
    const spec = {
      displayName: id,
      active: true,
      addCloudCredential: true,
      builtin: true,
      url: 'local://',
      whitelistDomains: hosts,
    };
    await ignoreExists(resources.create('nodeDriver', { metadata: { name: id }, spec }));
  }
}
