/** Which agent a host lets its server put in its place. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { type AgentOffer, offerText } from '@drover/engine';
import { isVouched } from './self-update.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const serverKey = publicKey.export({ format: 'jwk' }).x!;
const words = { script: 'a'.repeat(64), version: '0.2.0', ids: { amd64: 'b'.repeat(12) } };
const signature = sign(null, Buffer.from(offerText(words)), privateKey).toString('base64url');
const offer: AgentOffer = { ...words, withinSeconds: 1, signature };

test('only what its own server signed, as it was signed', () => {
  assert.ok(isVouched(offer, serverKey));
  assert.ok(isVouched({ ...offer, withinSeconds: 9 }, serverKey));
  const changes: Partial<AgentOffer>[] = [
    { script: 'c'.repeat(64) },
    { version: '0.3.0' },
    { ids: { amd64: 'c'.repeat(12) } },
    { ids: { amd64: words.ids.amd64, arm64: 'd'.repeat(12) } },
    { signature: '' },
  ];
  for (const changed of changes)
    assert.equal(isVouched({ ...offer, ...changed }, serverKey), false, JSON.stringify(changed));
  const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x!;
  assert.equal(isVouched(offer, other), false);
});
