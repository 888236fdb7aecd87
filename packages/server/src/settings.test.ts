/** Settings: where a value comes from, what each takes, and that what is fixed stays. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLog } from '@drover/base';
import { FieldCipher, newSecretsKey, openSqliteStore, type Store } from '@drover/store';
import { type Caches, createCaches, Resources, startCaches } from './resources/index.ts';
import { Settings } from './settings.ts';

let store: Store;
let resources: Resources;
let caches: Caches;
const stop = new AbortController();
before(async () => {
  store = await openSqliteStore({ path: ':memory:' });
  resources = new Resources(store, new FieldCipher([newSecretsKey()]));
  caches = createCaches(resources, silentLog);
  await startCaches(caches, stop.signal);
});
after(async () => {
  stop.abort();
  await store[Symbol.asyncDispose]();
});

const open = (env: NodeJS.ProcessEnv = {}) => new Settings(resources, caches, env);

test('a value is the environment’s, else the stored one, else the default', async () => {
  const settings = open();
  assert.deepEqual(
    [settings.get('password-min-length'), settings.show('password-min-length').source],
    ['12', 'default'],
  );
  await settings.set('password-min-length', '16');
  assert.deepEqual([settings.get('password-min-length'), settings.show('password-min-length').source], ['16', 'db']);
  const forced = open({ CATTLE_PASSWORD_MIN_LENGTH: '20' });
  const { value, source, readOnly } = forced.show('password-min-length');
  assert.deepEqual([value, source, readOnly], ['20', 'env', true]);
  await assert.rejects(forced.set('password-min-length', '8'), { status: 405 });
  await settings.set('password-min-length', '');
  assert.equal(settings.get('password-min-length'), '12');
});

test('what the server knows by itself can’t be set, nor can what it does not know', async () => {
  const settings = open();
  settings.fix('cacerts', 'PEM');
  assert.equal(settings.get('cacerts'), 'PEM');
  await assert.rejects(settings.set('cacerts', 'another'), { status: 405 });
  await assert.rejects(settings.set('no-such-setting', 'x'), { status: 404 });
  assert.equal(settings.get('no-such-setting'), '');
  assert.equal(settings.has('constructor'), false);
  assert.throws(() => settings.show('__proto__'), { status: 404 });
});

test('a first start makes up what every later one finds', async () => {
  await open().init({});
  const id = open().get('install-uuid');
  assert.match(id, /^[0-9a-f-]{36}$/);
  await open().init({});
  assert.equal(open().get('install-uuid'), id);
});

const wrong: [name: string, value: string][] = [
  ['password-min-length', 'many'],
  ['password-min-length', '1'],
  ['auth-user-session-ttl-minutes', '-5'],
  ['auth-token-max-ttl-minutes', '1e3'],
  ['crt-default-ttl-minutes', '99999999999'],
  ['server-url', 'http://plain.example.com'],
  ['server-url', 'not a url'],
  ['agent-image', 'bad image"\nmore: yaml'],
  ['system-default-registry', 'https://with.scheme'],
  ['shell-image', 'rancher/shell\nmore: yaml'],
];
for (const [name, value] of wrong) {
  test(`${name} does not take ${JSON.stringify(value)}, and says what it takes`, async () => {
    await assert.rejects(open().set(name, value), (error: Error & { status?: number }) => {
      assert.equal(error.status, 422);
      assert.match(error.message, new RegExp(name));
      return true;
    });
    assert.notEqual(open().get(name), value);
  });
}
