/** A second factor: with it a password alone lets nobody in, a code is good once, and who lost it has a way back. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import { openTestApi, type TestApi } from '../api/fixture.ts';

const path = '/v1-second-factor';
const password = 'a password long enough';
let api: TestApi;
let user: { readonly id: string; readonly token: string };
let key: string;
let codes: string[];

before(async () => {
  api = await openTestApi();
  user = await api.makeUser('vera');
});
after(() => api[Symbol.asyncDispose]());

/** What the phone shows now, or so many steps of time later. */
const phone = (later = 0) =>
  new TOTP({ secret: Secret.fromBase32(key) }).generate({ timestamp: Date.now() + later * 30_000 });
const act = (action: string, body: object, as = user.token) =>
  api.ask('POST', `${path}?action=${action}`, { as, body });
const login = (otp?: string, given = password) =>
  api.ask('POST', '/v3-public/localProviders/local?action=login', {
    as: '',
    body: { username: 'vera', password: given, responseType: 'json', ...(otp === undefined ? {} : { otp }) },
  });
const state = async () => api.want(200, 'GET', path, { as: user.token });

test('it is begun with the password, and counts only once a code was shown', async () => {
  assert.deepEqual(await state(), { enabled: false, codes: false, securityKeys: [], recoveryCodesLeft: 0 });
  assert.equal((await act('begin', { password: 'wrong' })).status, 401);
  const begun = await act('begin', { password });
  assert.equal(begun.status, 200);
  key = begun.body.secret;
  assert.match(begun.body.uri, /^otpauth:\/\/totp\/Drover.*vera\?.*secret=/);
  assert.equal((await login()).status, 201, 'what was only begun asks for nothing');
  const wrong = await act('confirm', { code: phone(20) });
  assert.deepEqual([wrong.status, wrong.body.fieldName], [422, 'code']);
  const confirmed = await act('confirm', { code: phone() });
  codes = confirmed.body.recoveryCodes;
  assert.deepEqual([confirmed.status, codes.length, new Set(codes).size], [200, 10, 10]);
  assert.deepEqual(await state(), { enabled: true, codes: true, securityKeys: [], recoveryCodesLeft: 10 });
  assert.equal((await act('begin', { password })).status, 422);
  assert.equal((await act('confirm', { code: phone() })).status, 422);
});

test('the password alone is told that a code is needed, and a wrong one is told nothing', async () => {
  const alone = await login();
  assert.deepEqual([alone.status, alone.body.code], [401, 'SecondFactorRequired']);
  const strangers = await login(undefined, 'wrong password here');
  assert.equal(strangers.body.code, 'Unauthorized');
  const wrong = await login('000000');
  assert.deepEqual([wrong.status, wrong.body.code], [401, 'Unauthorized']);
});

test('a code is good once, and an older one never after it', async () => {
  const next = phone(1);
  const now = phone();
  assert.equal((await login(next)).status, 201);
  assert.equal((await login(next)).status, 401);
  assert.equal((await login(now)).status, 401);
});

test('two at once with one recovery code: one gets in', async () => {
  const both = await Promise.all([login(codes[0]), login(codes[0]!.toUpperCase())]);
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 401]);
  assert.deepEqual(await state(), { enabled: true, codes: true, securityKeys: [], recoveryCodesLeft: 9 });
});

test('nothing that is kept of it can be used', async () => {
  const { items } = await api.resources.list('secret', { namespace: 'cattle-local-user-second-factors' } as never);
  const kept = JSON.stringify(items);
  for (const code of codes) assert.ok(!kept.includes(code.replaceAll('-', '')) && !kept.includes(code));
});

test('after a few wrong codes even the right one has to wait', async () => {
  for (let i = 0; i < 2; i++) await login('000000');
  assert.equal((await login(codes[1])).status, 401);
});

test('who lost it is helped by whoever may act on him, and by nobody else', async () => {
  const other = await api.makeUser('otto');
  assert.equal((await act('reset', { userId: user.id }, other.token)).status, 404);
  assert.equal((await act('reset', { userId: user.id }, api.admin)).status, 204);
  assert.deepEqual(await state(), { enabled: false, codes: false, securityKeys: [], recoveryCodesLeft: 0 });
  assert.equal((await login()).status, 201);
});

test('what is asked wrongly is told what would be right', async () => {
  const unknown = await act('explode', {});
  assert.deepEqual([unknown.status, unknown.body.code], [422, 'InvalidAction']);
  assert.equal((await act('begin', {})).body.fieldName, 'password');
  assert.equal((await api.ask('DELETE', path, { as: user.token })).status, 405);
  assert.equal((await api.ask('GET', path, { as: '' })).status, 401);
});
