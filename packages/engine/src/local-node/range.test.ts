/** Ranges of addresses: only what nothing overlaps is taken, and what was had before is kept as long as it can be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesIn, chooseRange } from './range.ts';

const tables: readonly { what: string; before?: string; inUse: string[]; gives: string | undefined }[] = [
  { what: 'the first where nothing is used', inUse: [], gives: '100.111' },
  { what: 'what was had before', before: '10.170', inUse: ['192.0.2.0/24'], gives: '10.170' },
  { what: 'another where somebody uses that now', before: '10.170', inUse: ['10.170.3.4'], gives: '100.111' },
  { what: 'none inside of a wider one', inUse: ['100.64.0.0/10', '172.16.0.0/12'], gives: '10.199' },
  {
    what: 'none around a narrower one',
    inUse: ['100.64.0.0/10', '172.16.0.0/12', '10.199.255.252/30'],
    gives: '10.198',
  },
  {
    what: 'no heed of a default route and of other words',
    inUse: ['0.0.0.0/0', 'default', 'fd00::2/64'],
    gives: '100.111',
  },
  { what: 'none that is no candidate', before: '10.0', inUse: [], gives: '100.111' },
  { what: 'nothing where all is used', inUse: ['10.0.0.0/8', '172.16.0.0/12', '100.64.0.0/10'], gives: undefined },
];
for (const { what, before, inUse, gives } of tables)
  test(`a range: ${what}`, () => {
    assert.equal(chooseRange(before, inUse), gives);
  });

test('the link between machine and node is none of the addresses of pods', () => {
  assert.deepEqual(addressesIn('10.199'), {
    prefix: '10.199',
    podCidr: '10.199.0.0/17',
    host: '10.199.255.253',
    node: '10.199.255.254',
  });
});
