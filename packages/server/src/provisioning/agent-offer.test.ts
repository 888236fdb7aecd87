/** What hosts are offered follows what the server has, and is signed no more often than that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { offerText } from '@drover/engine';
import type { AgentArchive } from './agent-archives.ts';
import { AgentOffers } from './agent-offer.ts';

const archive = (id: string): AgentArchive =>
  ({ arch: 'amd64', id, image: 'docker.io/drover/agent:0.3.0', layers: [id.repeat(8)] }) as unknown as AgentArchive;

test('an offer is signed once for what there is, and tells each host how many there are', () => {
  const signed: string[] = [];
  const offers = new AgentOffers({ vouch: text => `signature ${signed.push(text)}` });
  assert.equal(offers.of([], 3), undefined);
  const first = offers.of([archive('a')], 3)!;
  assert.deepEqual([first.version, first.ids, first.withinSeconds], ['0.3.0', { amd64: 'a' }, 3]);
  assert.deepEqual(signed, [offerText(first)]);
  assert.deepEqual(offers.of([archive('a')], 5000), { ...first, withinSeconds: 600 });
  const second = offers.of([archive('b')], 3)!;
  assert.notEqual(second.script, first.script);
  assert.deepEqual([second.signature, signed.length], ['signature 2', 2]);
});
