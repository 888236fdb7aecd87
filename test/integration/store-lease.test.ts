/** A lease holder that was frozen past its time can not write any more, whatever it believes when it wakes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '@drover/base';
import { leaseCompare, openEtcdStore } from '@drover/store';
import { collect } from '../../packages/store/src/store-suite.ts';
import { Etcd, etcdBinaries } from './store/etcd.ts';

const program = fileURLToPath(new URL('./store/lease-holder.ts', import.meta.url));
const binaries = etcdBinaries();
if (binaries.length === 0) test('a frozen lease holder', t => t.skip('no etcd on this machine'));

for (const { name, path } of binaries) {
  test(`${name}: what a frozen holder writes after its time is refused`, async () => {
    await using etcd = await Etcd.start(path);
    await using store = await openEtcdStore({ endpoints: [etcd.endpoint], prefix: '/lease/' });
    const holder = spawn(process.execPath, [program, etcd.endpoint, '/lease/'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const said: string[] = [];
      createInterface({ input: holder.stdout }).on('line', line => said.push(line));
      const writes = collect(store, 'written');
      await until('the holder to write', () => said.includes('holding') && writes.events.length > 20);
      holder.kill('SIGSTOP');
      await until('the lock to go', async () => (await store.get('lock')) === undefined, { timeoutMs: 20_000 });

      await using lease = await store.lease(10_000);
      await store.create('lock', '"second"', { lease });
      const mine = await store.txn([leaseCompare(lease)], [{ type: 'put', key: 'written', value: '"second"' }]);
      holder.kill('SIGCONT');
      await until(
        'the holder to be refused and to know',
        () => said.includes('lost') && said.filter(word => word === 'refused').length > 5,
      );
      assert.equal((await store.get('written'))?.revision, mine, 'nothing was written in the name of the ended lease');
      writes.stop();
    } finally {
      holder.kill('SIGKILL');
    }
  });
}
