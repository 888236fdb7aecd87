/**
 * A program that takes a lease, holds `lock` with it and writes under its claim without pause, so that a test can freeze it. Says
 * `holding`, then for each refusal `refused`, and `lost` when it knows itself. Arguments: endpoint, prefix.
 */
import { writeSync } from 'node:fs';
import { isConflict, sleep } from '@drover/base';
import { leaseCompare, openEtcdStore } from '@drover/store';

const [endpoint, prefix] = process.argv.slice(2);
await using store = await openEtcdStore({ endpoints: [endpoint!], prefix: prefix! });
await using lease = await store.lease(2000);
await store.create('lock', '"first"', { lease });
const say = (word: string) => writeSync(1, `${word}\n`);
lease.lost.addEventListener('abort', () => say('lost'));
say('holding');
for (let count = 0; ; count += 1) {
  try {
    await store.txn([leaseCompare(lease)], [{ type: 'put', key: 'written', value: JSON.stringify(`first ${count}`) }]);
  } catch (error) {
    if (isConflict(error)) say('refused');
  }
  await sleep(2);
}
