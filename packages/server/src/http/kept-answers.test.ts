/** Whole answers kept: given again while nothing changed, bounded in bytes, and no one is given another's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { readsOf } from '../resources/index.ts';
import type { Caller } from './exchange.ts';
import { identityOf, KeptAnswers } from './kept-answers.ts';

const answer = (text: string) => ({ body: Buffer.from(text), headers: {} });
const none = () => readsOf([]);

test('an answer is given again until something that it was made of changes', () => {
  const kept = new KeptAnswers();
  const source = { changes: 0 };
  kept.keep('a', answer('one'), readsOf([source]));
  assert.equal(String(kept.find('a')?.body), 'one');
  source.changes++;
  assert.equal(kept.find('a'), undefined);
  assert.equal(kept.bytes, 0);
});

test('what changed while the answer was made is not kept', () => {
  const kept = new KeptAnswers();
  const source = { changes: 0 };
  const reads = readsOf([source]);
  source.changes++;
  kept.keep('a', answer('one'), reads);
  assert.equal(kept.find('a'), undefined);
});

test('all together stay within the bound, and what was not asked for longest goes first', () => {
  const kept = new KeptAnswers({ maxBytes: 5000, maxAnswerBytes: 4000 });
  kept.keep('a', answer('a'.repeat(1000)), none());
  kept.keep('b', answer('b'.repeat(1000)), none());
  kept.find('a');
  kept.keep('c', answer('c'.repeat(1000)), none());
  assert.deepEqual(
    ['a', 'b', 'c'].map(key => kept.find(key) !== undefined),
    [true, false, true],
  );
  kept.keep('large', answer('x'.repeat(4001)), none());
  assert.equal(kept.find('large'), undefined);
  assert.ok(kept.bytes <= 5000);
});

test('what is compressed counts as well, and is compressed once', async () => {
  const kept = new KeptAnswers();
  kept.keep('a', answer('a'.repeat(10_000)), none());
  const before = kept.bytes;
  const found = kept.find('a')!;
  const [one, two] = await Promise.all([kept.zipped(found), kept.zipped(found)]);
  assert.equal(one, two);
  assert.equal(gunzipSync(one).length, 10_000);
  assert.equal(kept.bytes, before + one.length);
  kept.keep('a', answer('b'), none());
  assert.ok(kept.bytes < 2000);
});

test('bytes that several are sent count once, are compressed once, and stay until the last lets them go', async () => {
  const kept = new KeptAnswers({ maxBytes: 60_000 });
  const shared = answer('a'.repeat(50_000));
  for (const key of ['a', 'b', 'c']) kept.keep(key, shared, none());
  assert.ok(['a', 'b', 'c'].every(key => kept.find(key)) && kept.bytes < 54_000, `${kept.bytes}`);
  const [one, two] = [await kept.zipped(kept.find('a')!), await kept.zipped(kept.find('b')!)];
  assert.equal(one, two);
  for (const key of ['a', 'b']) kept.keep(key, answer('b'), none());
  assert.ok(kept.bytes > 50_000);
  kept.keep('c', answer('c'), none());
  assert.ok(kept.bytes < 4000, `${kept.bytes}`);
});

test('two who differ in anything that decides what they see are not the same', () => {
  const mia: Caller = {
    userId: 'mia',
    username: 'mia',
    groups: ['ops'],
    extra: { principalid: ['local://mia'] },
    tokenId: 'token-a',
    via: 'bearer',
  };
  assert.equal(identityOf(mia), identityOf({ ...mia, tokenId: 'token-b', via: 'cookie' }));
  const others: Caller[] = [
    { ...mia, userId: 'ann' },
    { ...mia, groups: ['dev'] },
    { ...mia, groups: [] },
    { ...mia, clusterId: 'c-abcde' },
    { ...mia, extra: { principalid: ['github_user://1'] } },
  ];
  const texts = new Set([mia, ...others].map(identityOf));
  assert.equal(texts.size, others.length + 1);
});
