/** SCIM over the real front, with requests as RFC 7644 and the great identity providers write them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from '../api/fixture.ts';
import { issueToken } from '../auth/index.ts';

let api: TestApi;
let token: string;
let vera: string;
let group: string;

const base = '/v1-scim/okta';
const scim = (method: string, path: string, body?: unknown, as = token) =>
  api.ask(method, `${base}${path}`, { as, body, headers: { 'content-type': 'application/scim+json' } });
const patch = (...Operations: object[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
});
const groupsOf = (userId: string) => Object.values(api.caches.userAttribute.get(userId)?.groupPrincipals ?? {}).flat();

before(async () => {
  api = await openTestApi();
  for (const [name, enabled] of [
    ['okta', true],
    ['ping', true],
    ['adfs', false],
  ] as const)
    await api.resources.create('authConfig', { metadata: { name }, configType: `${name}Config`, enabled } as never);
  token = (await api.want(201, 'POST', '/v1-scim-token/okta')).token;
});
after(() => api[Symbol.asyncDispose]());

test('only the provider’s own token is taken, and only an admin makes one', async () => {
  for (const wrong of ['', 'scim-okta:wrong', `${token}x`, token.replace('okta', 'ping'), api.admin]) {
    const { status, body } = await scim('GET', '/Users', undefined, wrong);
    assert.deepEqual([status, body.status], [401, '401']);
  }
  assert.equal((await api.ask('GET', '/v1-scim/ping/Users', { as: token })).status, 401);
  const user = await api.makeUser('otto');
  assert.equal((await api.ask('POST', '/v1-scim-token/okta', { as: user.token })).status, 403);
  assert.equal((await api.ask('POST', '/v1-scim-token/unknown')).status, 404);
  const off = (await api.want(201, 'POST', '/v1-scim-token/adfs')).token;
  assert.equal((await api.ask('GET', '/v1-scim/adfs/Users', { as: off })).status, 403);
});

test('a new token ends the one before', async () => {
  const old = token;
  token = (await api.want(201, 'POST', '/v1-scim-token/okta')).token;
  assert.equal((await scim('GET', '/Users', undefined, old)).status, 401);
  assert.equal((await scim('GET', '/Users')).status, 200);
});

test('a user is made, found, changed whole and in part', async () => {
  const made = await scim('POST', '/Users', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'vera@example.com',
    externalId: '00u1',
    name: { givenName: 'Vera', familyName: 'Weiß' },
    emails: [{ value: 'vera@example.com', primary: true }],
    active: true,
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  vera = made.body.id;
  assert.match(String(made.headers['location']), new RegExp(`/v1-scim/okta/Users/${vera}$`));
  const user = api.caches.user.get(vera)!;
  assert.equal(user.displayName, 'Vera Weiß');
  assert.deepEqual(user.principalIds, [`local://${vera}`, 'okta_user://00u1', 'okta_user://vera@example.com']);
  const again = await scim('POST', '/Users', { userName: 'vera@example.com' });
  assert.deepEqual([again.status, again.body.scimType], [409, 'uniqueness']);
  const found = await scim(
    'GET',
    `/Users?filter=${encodeURIComponent('userName eq "vera@example.com" and active eq true')}`,
  );
  assert.deepEqual([found.body.totalResults, found.body.Resources[0].id], [1, vera]);
  const renamed = await scim('PUT', `/Users/${vera}`, {
    userName: 'vera@example.com',
    externalId: '00u1',
    displayName: 'V. Weiß',
  });
  assert.equal(renamed.body.displayName, 'V. Weiß');
  assert.equal(
    (await scim('PATCH', `/Users/${vera}`, patch({ op: 'Replace', path: 'name.familyName', value: 'Weiss' }))).body.name
      .familyName,
    'Weiss',
  );
});

test('who is switched off there is out here at once, tokens and all', async () => {
  const { bearer } = await issueToken(api.deps, { userId: vera, kind: 'session' });
  await api.want(200, 'GET', '/v3/users?me=true', { as: bearer.reveal() });
  const off = await scim('PATCH', `/Users/${vera}`, patch({ op: 'replace', value: { active: 'False' } }));
  assert.deepEqual([off.status, off.body.active], [200, false]);
  assert.equal((await api.ask('GET', '/v3/users?me=true', { as: bearer.reveal() })).status, 401);
  await scim('PATCH', `/Users/${vera}`, patch({ op: 'replace', path: 'active', value: true }));
  assert.equal(api.caches.user.get(vera)!.enabled, true);
  assert.equal(
    (await api.ask('GET', '/v3/users?me=true', { as: bearer.reveal() })).status,
    401,
    'what ended stays ended',
  );
});

test('members of a group hold its principals, by name and by id, until they leave it', async () => {
  const made = await scim('POST', '/Groups', { displayName: 'Ops', externalId: 'g-1', members: [{ value: vera }] });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  group = made.body.id;
  assert.deepEqual(groupsOf(vera), ['okta_group://Ops', 'okta_group://g-1']);
  const stranger = await scim(
    'PATCH',
    `/Groups/${group}`,
    patch({ op: 'add', path: 'members', value: [{ value: api.adminId }] }),
  );
  assert.deepEqual([stranger.status, stranger.body.scimType], [400, 'invalidValue']);
  await scim('PATCH', `/Groups/${group}`, patch({ op: 'remove', path: `members[value eq "${vera}"]` }));
  assert.deepEqual(groupsOf(vera), []);
  await scim('PATCH', `/Groups/${group}`, patch({ op: 'add', path: 'members', value: [{ value: vera }] }));
  await scim('PUT', `/Groups/${group}`, { displayName: 'Operations', members: [{ value: vera }] });
  assert.deepEqual(groupsOf(vera), ['okta_group://Operations']);
  assert.equal((await scim('DELETE', `/Groups/${group}`)).status, 204);
  assert.deepEqual(groupsOf(vera), []);
  assert.equal((await scim('GET', `/Groups/${group}`)).status, 404);
});

test('members come and go as the great providers write it, by whatever else is said of them', async () => {
  const { id } = (await scim('POST', '/Groups', { displayName: 'Night' })).body;
  const change = (...operations: object[]) => scim('PATCH', `/Groups/${id}`, patch(...operations));
  const ways: [string, object, object][] = [
    [
      'by Entra',
      { op: 'Add', path: 'members', value: [{ $ref: null, value: vera }] },
      { op: 'Remove', path: 'members', value: [{ $ref: null, value: vera }] },
    ],
    [
      'by Okta',
      { op: 'add', path: 'members', value: { value: vera, display: 'V.' } },
      { op: 'replace', path: 'members', value: [] },
    ],
    ['by their ids', { op: 'add', path: 'Members', value: [vera] }, { op: 'remove', path: 'members', value: [vera] }],
    [
      'without a path',
      { op: 'add', value: { members: [{ value: vera, type: 'User' }] } },
      { op: 'remove', path: 'members' },
    ],
    [
      'by a filter',
      { op: 'replace', path: 'members', value: [{ value: vera }] },
      { op: 'remove', path: `members[value eq "${vera}"]` },
    ],
  ];
  for (const [way, add, remove] of ways) {
    for (let twice = 0; twice < 2; twice++) assert.equal((await change(add)).body.members?.length, 1, way);
    assert.deepEqual(groupsOf(vera), ['okta_group://Night'], way);
    assert.deepEqual((await change(remove)).body.members, [], way);
    assert.deepEqual(groupsOf(vera), [], way);
  }
  await change({ op: 'add', path: 'members', value: [{ value: vera }] });
  const found = async (filter: string, more = '') =>
    (await scim('GET', `/Groups?filter=${encodeURIComponent(filter)}${more}`)).body.Resources;
  for (const filter of [
    `members eq "${vera}"`,
    `members[value eq "${vera}"] and displayName eq "night"`,
    'urn:ietf:params:scim:schemas:core:2.0:Group:displayName eq "Night"',
    'not (displayName eq "day") and displayName sw "NI"',
  ])
    assert.deepEqual(
      (await found(filter)).map((one: { id: string }) => one.id),
      [id],
      filter,
    );
  assert.deepEqual(await found('members eq "u-other"'), []);
  const [light] = await found('displayName eq "Night"', '&excludedAttributes=members');
  assert.equal(light.members, undefined);
  assert.equal((await scim('GET', `/Groups/${id}?excludedAttributes=members`)).body.members, undefined);
  const few = (await scim('GET', `/Groups/${id}?attributes=displayName`)).body;
  assert.deepEqual(Object.keys(few), ['schemas', 'id', 'displayName']);
  await scim('DELETE', `/Groups/${id}`);
});

test('a name is one in whatever case, and free again when its holder is called otherwise', async () => {
  const found = await scim('GET', `/Users?filter=${encodeURIComponent('userName eq "VERA@example.com"')}`);
  assert.deepEqual(
    found.body.Resources.map((one: { id: string }) => one.id),
    [vera],
  );
  for (const [filter, count] of [
    ['urn:ietf:params:scim:schemas:core:2.0:User:userName eq "vera@EXAMPLE.com"', 1],
    ['userName eq "vera"', 0],
    ['userName eq "vera@example.com\\u0000"', 0],
    ['not (userName eq "vera@example.com")', 0],
    ['userName eq "vera@example.com" or userName eq "x"', 1],
  ] as const)
    assert.equal((await scim('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body.totalResults, count, filter);
  const again = await scim('POST', '/Users', { userName: 'Vera@Example.com' });
  assert.deepEqual([again.status, again.body.scimType], [409, 'uniqueness']);
  const { id } = (await scim('POST', '/Groups', { displayName: 'Early' })).body;
  assert.equal((await scim('POST', '/Groups', { displayName: 'EARLY' })).status, 409);
  await scim('PATCH', `/Groups/${id}`, patch({ op: 'replace', value: { id, displayName: 'Late' } }));
  const next = await scim('POST', '/Groups', { displayName: 'Early' });
  assert.equal(next.status, 201, JSON.stringify(next.body));
  const taken = await scim('PUT', `/Groups/${next.body.id}`, { displayName: 'late' });
  assert.deepEqual([taken.status, taken.body.scimType], [409, 'uniqueness']);
  for (const each of [id, next.body.id]) assert.equal((await scim('DELETE', `/Groups/${each}`)).status, 204);
});

test('pages hold what they say, and begin where they are asked to', async () => {
  for (const name of ['page-a', 'page-b', 'page-c']) await scim('POST', '/Groups', { displayName: name });
  const page = async (query: string) => {
    const { body } = await scim('GET', `/Groups?filter=${encodeURIComponent('displayName sw "page-"')}&${query}`);
    return [body.totalResults, body.startIndex, body.itemsPerPage, body.Resources.length];
  };
  assert.deepEqual(await page('count=2'), [3, 1, 2, 2]);
  assert.deepEqual(await page('startIndex=3&count=2'), [3, 3, 1, 1]);
  assert.deepEqual(await page('startIndex=0&count=0'), [3, 1, 0, 0]);
  assert.deepEqual(await page('startIndex=9'), [3, 9, 0, 0]);
});

test('who is kept by this server itself, or by another provider, is not the provider’s to touch', async () => {
  assert.equal((await scim('GET', `/Users/${api.adminId}`)).status, 404);
  assert.equal((await scim('DELETE', `/Users/${api.adminId}`)).status, 404);
  await api.resources.modify('user', { name: api.adminId }, seen => ({
    ...seen,
    principalIds: [...(seen.principalIds ?? []), 'okta_user://root'],
  }));
  const taken = await scim('POST', '/Users', { userName: 'root', active: false });
  assert.deepEqual([taken.status, taken.body.scimType], [409, 'uniqueness']);
  assert.equal(api.caches.user.get(api.adminId)!.enabled, true);
  const ping = (await api.want(201, 'POST', '/v1-scim-token/ping')).token;
  assert.equal((await api.ask('GET', `/v1-scim/ping/Users/${vera}`, { as: ping })).status, 404);
});

test('it says what it can do, and what was asked wrongly', async () => {
  assert.equal((await scim('GET', '/ServiceProviderConfig')).body.patch.supported, true);
  assert.equal((await scim('GET', '/ResourceTypes')).body.totalResults, 2);
  assert.equal((await scim('GET', '/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group')).body.name, 'Group');
  const faults: [string, string, unknown, number, string | undefined][] = [
    ['GET', '/Users?filter=userName%20is%20vera', undefined, 400, 'invalidFilter'],
    ['GET', '/Users?startIndex=x', undefined, 400, 'invalidValue'],
    ['POST', '/Users', {}, 400, 'invalidValue'],
    ['POST', '/Users', { userName: 'a\u202eb' }, 400, 'invalidValue'],
    ['POST', '/Groups', { displayName: 'x', members: [{ value: 'u-unknown' }] }, 400, 'invalidValue'],
    ['PATCH', `/Users/${vera}`, { Operations: [] }, 400, undefined],
    ['DELETE', '/Users', undefined, 405, undefined],
    ['GET', '/Bulk', undefined, 404, undefined],
  ];
  for (const [method, path, body, status, scimType] of faults) {
    const answer = await scim(method, path, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.deepEqual(answer.body.schemas, ['urn:ietf:params:scim:api:messages:2.0:Error']);
    if (scimType) assert.equal(answer.body.scimType, scimType);
  }
});

test('a user who is deleted there is gone here', async () => {
  assert.equal((await scim('DELETE', `/Users/${vera}`)).status, 204);
  assert.equal((await scim('GET', `/Users/${vera}`)).status, 404);
});
