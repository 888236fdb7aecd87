/** For benches: a cluster with as many nodes as asked for, in the store of a server that does not run: nobody can make nodes by its API. */
import { join } from 'node:path';
import { FieldCipher, newSecretsKey, openSqliteStore } from '@drover/store';
import { Resources } from './resources.ts';

const clusterName = 'c-bench';

export async function seedNodes(dataDir: string, count: number): Promise<void> {
  await using store = await openSqliteStore({ path: join(dataDir, 'drover.db') });
  const resources = new Resources(store, new FieldCipher([newSecretsKey()]));
  await resources.create('cluster', { metadata: { name: clusterName }, spec: { displayName: 'bench-nodes' } });
  for (let i = 0; i < count; i++) {
    const quantities = { cpu: '4', memory: '16Gi', pods: '110' };
    await resources.create('node', {
      metadata: { name: `m-${i}`, namespace: clusterName },
      spec: { clusterName, requestedHostname: `node-${i}`, displayName: `node-${i}`, worker: true },
      status: {
        nodeName: `node-${i}`,
        hostname: `node-${i}`,
        ipAddress: `10.0.${i >> 8}.${i & 255}`,
        capacity: quantities,
        allocatable: quantities,
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    });
  }
}
