/** The judge is judged: each kind of broken history has to be found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHistory, type HistoryRecord, type Seen } from './history-checker.ts';

const records: HistoryRecord[] = [
  { type: 'invoke', id: 'a', key: 'x', value: '1' },
  { type: 'ok', id: 'a', revision: 2 },
  { type: 'invoke', id: 'b', key: 'y', value: '2' },
  { type: 'invoke', id: 'c', key: 'x', value: '3' },
  { type: 'ok', id: 'c', revision: 4 },
  { type: 'fail', id: 'b' },
  { type: 'invoke', id: 'd', key: 'y', value: '4' },
];
const seen: Seen[] = [
  { revision: 1 },
  { revision: 2, key: 'x', value: '1' },
  { revision: 4, key: 'x', value: '3' },
  { revision: 4 },
  { revision: 5, key: 'y', value: '4' },
];
const faults = (changed: { records?: HistoryRecord[]; seen?: Seen[]; other?: Seen[]; after?: number }) =>
  checkHistory(changed.records ?? records, { name: 'reference', after: 1, seen: changed.seen ?? seen }, [
    { name: 'other', after: changed.after ?? 1, seen: changed.other ?? seen },
  ]).join('; ');

test('a right history has no faults, and an unanswered write may have happened or not', () => {
  assert.equal(faults({}), '');
  assert.equal(faults({ seen: seen.slice(0, 4), other: seen.slice(0, 4) }), '');
});

const broken: [string, RegExp, Parameters<typeof faults>[0]][] = [
  ['a lost acknowledged write', /0 times/, { seen: seen.filter(({ value }) => value !== '3'), other: [] }],
  ['a refused write that happened', /no write that may/, { seen: [...seen, { revision: 6, key: 'y', value: '2' }] }],
  ['a write that happened twice', /twice/, { seen: [...seen, { revision: 6, key: 'x', value: '3' }] }],
  ['an event from nowhere', /no write that may/, { seen: [...seen, { revision: 6, key: 'x', value: '9' }] }],
  [
    'a revision against real time',
    /not above/,
    { records: [...records, { type: 'invoke', id: 'e', key: 'z', value: '5' }, { type: 'ok', id: 'e', revision: 3 }] },
  ],
  ['an event that a watcher missed', /was due/, { other: seen.filter(({ value }) => value !== '1') }],
  ['an event that a watcher saw twice', /was due/, { other: [...seen, seen[4]!] }],
  ['events in the wrong order', /was due/, { other: [seen[2]!, seen[1]!] }],
  ['a bookmark that overtakes', /overtook/, { other: [{ revision: 3 }, ...seen] }],
  ['an event from before its start', /was due/, { other: seen, after: 2 }],
];
for (const [what, word, change] of broken) test(`${what} is found`, () => assert.match(faults(change), word));
