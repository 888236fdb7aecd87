/** What was signed in by a provider counts while it is on: from the next request on it doesn't, whether or not tokens are gone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Fixture, openFixture, requestOf } from './fixture.ts';
import { issueToken } from './tokens.ts';
import { createUser } from './users.ts';

let fixture: Fixture;
before(async () => {
  fixture = await openFixture();
});
after(() => fixture[Symbol.asyncDispose]());

test('a provider that is switched off vouches for nobody, one that is on again for those it did', async () => {
  const { resources, deps, auth } = fixture;
  const user = await createUser(deps, { username: 'ada', password: 'a password long enough' });
  await resources.create('authConfig', { metadata: { name: 'oidc' }, configType: 'oidcConfig', enabled: true });
  const bearerOf = async (authProvider: string) =>
    (await issueToken(deps, { userId: user.metadata.name, kind: 'session', authProvider })).bearer.reveal();
  const [elsewhere, local] = [await bearerOf('oidc'), await bearerOf('local')];
  const status = async (bearer: string) => {
    const request = requestOf({ authorization: `Bearer ${bearer}` });
    const answer = auth.authenticate(request, { path: '/v3', cookies: true });
    return answer.then(
      caller => caller?.userId,
      error => error.status,
    );
  };
  const set = (enabled: boolean) => resources.modify('authConfig', { name: 'oidc' }, seen => ({ ...seen, enabled }));
  const id = user.metadata.name;
  assert.deepEqual([await status(elsewhere), await status(local)], [id, id]);
  await set(false);
  assert.deepEqual([await status(elsewhere), await status(local)], [401, id]);
  await set(true);
  assert.deepEqual([await status(elsewhere), await status(local)], [id, id]);
  assert.equal(await status(await bearerOf('okta')), 401, 'one that was never configured');
});
