/** Security keys with an authenticator of a few lines, which counts nothing, as passkeys do: what it signs is good once, here, and in time. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { test } from 'node:test';
import { isNotFound } from '@drover/base';
import { type Fixture, openFixture } from './fixture.ts';
import { requireSecondFactor, secondFactorOf } from './second-factor.ts';
import { challengeKey, removeKey, renameKey, useKey } from './security-keys.ts';
import { createUser } from './users.ts';

const origin = 'https://drover.test';

interface Signed {
  readonly challenge: string;
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly counter?: number;
  readonly flags?: number;
}

/** A P-256 key whose owner always agrees. */
function makeAuthenticator(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = publicKey.export({ format: 'jwk' });
  const bytes = (text: string | undefined) => Buffer.from(text!, 'base64url');
  // COSE: EC2, ES256, P-256, and the point.
  const cose = ['a5010203262001215820', '225820'].map(hex => Buffer.from(hex, 'hex'));
  const id = Buffer.from(name).toString('base64url');
  return {
    id,
    publicKey: Buffer.concat([cose[0]!, bytes(x), cose[1]!, bytes(y)]).toString('base64url'),
    sign({
      challenge,
      origin: from = origin,
      rpId = 'drover.test',
      type = 'webauthn.get',
      counter = 0,
      flags = 1,
    }: Signed) {
      const count = Buffer.alloc(4);
      count.writeUInt32BE(counter);
      const data = Buffer.concat([hash('sha256', rpId, 'buffer'), Buffer.from([flags]), count]);
      const client = Buffer.from(JSON.stringify({ type, challenge, origin: from, crossOrigin: false }));
      const signature = sign('sha256', Buffer.concat([data, hash('sha256', client, 'buffer')]), privateKey);
      const base64 = (value: Buffer) => value.toString('base64url');
      return {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: base64(client),
          authenticatorData: base64(data),
          signature: base64(signature),
        },
      };
    },
  };
}

type Authenticator = ReturnType<typeof makeAuthenticator>;

async function withKeys(fixture: Fixture, username: string, keys: readonly Authenticator[]): Promise<string> {
  const user = await createUser(fixture.deps, { username, password: 'a password long enough' });
  const kept = keys.map(({ id, publicKey }, at) => ({
    ...{ id: `key${at}`, name: `key ${at}`, created: '2026-01-01T00:00:00Z', host: 'drover.test' },
    ...{ credential: id, publicKey, counter: 0 },
  }));
  await fixture.resources.create('secret', {
    metadata: { namespace: 'cattle-local-user-security-keys', name: user.metadata.name },
    type: 'Opaque',
    stringData: { kept: JSON.stringify({ keys: kept, challenges: [], recovery: [] }) },
  });
  return user.metadata.name;
}

test('an answer is good once, for its challenge, from this page, and while it is asked for', async () => {
  await using fixture = await openFixture();
  const { deps, move } = fixture;
  const [mine, other] = [makeAuthenticator('mine'), makeAuthenticator('other')];
  const userId = await withKeys(fixture, 'vera', [mine]);
  const otherId = await withKeys(fixture, 'otto', [other]);
  const challenge = async (of = userId) => (await challengeKey(deps, of, origin))!.challenge;
  const isGood = (assertion: unknown, at = origin, of = userId) => useKey(deps, of, { assertion, origin: at });

  const answer = mine.sign({ challenge: await challenge() });
  assert.equal(await isGood(answer), true);
  assert.equal(await isGood(answer), false, 'again');
  assert.equal(await isGood(mine.sign({ challenge: 'bm90IG91cnM' })), false, 'a challenge of its own');
  assert.equal(await isGood(mine.sign({ challenge: await challenge(otherId) })), false, 'a challenge of somebody else');
  assert.equal(await isGood(other.sign({ challenge: await challenge() })), false, 'a key of somebody else');
  const wrong: Omit<Signed, 'challenge'>[] = [
    { origin: 'https://drover.test.evil.example' },
    { origin: 'https://drover.test:8443' },
    { origin: 'http://drover.test' },
    { rpId: 'evil.example' },
    { type: 'webauthn.create' },
    // Nobody touched it.
    { flags: 0 },
  ];
  for (const more of wrong)
    assert.equal(await isGood(mine.sign({ challenge: await challenge(), ...more })), false, JSON.stringify(more));
  const elsewhere = mine.sign({ challenge: await challenge(), origin: 'https://other.test', rpId: 'other.test' });
  assert.equal(await isGood(elsewhere, 'https://other.test'), false, 'a key is for the name it was made under');
  assert.equal(await challengeKey(deps, userId, 'https://other.test'), undefined);
  const changed = mine.sign({ challenge: await challenge() });
  assert.equal(
    await isGood({ ...changed, response: { ...changed.response, signature: answer.response.signature } }),
    false,
  );

  const late = mine.sign({ challenge: await challenge() });
  move(6 * 60_000);
  assert.equal(await isGood(late), false, 'too late');
  const both = mine.sign({ challenge: await challenge() });
  const results = await Promise.all([isGood(both), isGood(both)]);
  assert.deepEqual(results.sort(), [false, true], 'two at once');
});

test('a key that counts is a copy once it counts backwards', async () => {
  await using fixture = await openFixture();
  const { deps } = fixture;
  const mine = makeAuthenticator('mine');
  const userId = await withKeys(fixture, 'vera', [mine]);
  const isGood = async (counter: number) => {
    const { challenge } = (await challengeKey(deps, userId, origin))!;
    return useKey(deps, userId, { assertion: mine.sign({ challenge, counter }), origin });
  };
  assert.deepEqual([await isGood(7), await isGood(8), await isGood(8), await isGood(5)], [true, true, false, false]);
});

test('with a key a password alone does not do; the last one taken away it does again', async () => {
  await using fixture = await openFixture();
  const { deps, resources } = fixture;
  const mine = makeAuthenticator('mine');
  const userId = await withKeys(fixture, 'vera', [mine]);
  const refused = (given: object, code: string) =>
    assert.rejects(requireSecondFactor(deps, userId, { origin, ...given }), { details: { code } });
  await refused({}, 'SecondFactorRequired');
  await refused({ otp: '123456' }, 'Unauthorized');
  await refused({ securityKey: {} }, 'Unauthorized');
  await renameKey(resources, userId, { id: 'key0', name: 'blue' });
  assert.deepEqual(
    (await secondFactorOf(resources, userId)).securityKeys.map(({ name }) => name),
    ['blue'],
  );
  await assert.rejects(removeKey(resources, userId, 'another'), isNotFound);
  await removeKey(resources, userId, 'key0');
  await requireSecondFactor(deps, userId, { origin });
});
