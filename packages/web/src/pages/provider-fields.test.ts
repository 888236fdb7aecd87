/** What a provider's form asks for and says: secrets that were not typed anew are not sent, and what leads away is an address of the web. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configKey, configOf, providerFields, shownValue, webAddress } from './provider-fields.ts';

const { main, more } = providerFields({
  accessMode: { type: 'enum', required: true, update: true },
  additionalClientIds: { type: 'map[string]', update: false },
  connectionTimeout: { type: 'int', required: true, update: true, default: 5000 },
  serviceAccountPassword: { type: 'password', required: true, update: true },
  tls: { type: 'boolean', required: true, update: true, default: false },
  servers: { type: 'array[string]', required: true, update: true },
  userSearchFilter: { type: 'string', update: true },
});

test('what is needed comes first, what all providers have is elsewhere', () => {
  assert.deepEqual(
    [main, more].map(fields => fields.map(({ name, input }) => `${name} ${input}`)),
    [
      ['servers lines', 'tls check', 'serviceAccountPassword secret'],
      ['connectionTimeout number', 'userSearchFilter text'],
    ],
  );
});

test('the form says what was typed; an empty secret is not sent, an emptied field is', () => {
  const form = new FormData();
  for (const [name, value] of Object.entries({
    servers: 'a.example\n b.example ',
    tls: 'on',
    serviceAccountPassword: '',
    connectionTimeout: '700',
    userSearchFilter: ' ',
  }))
    form.set(name, value);
  const expected = { servers: ['a.example', 'b.example'], tls: true, connectionTimeout: 700, userSearchFilter: '' };
  assert.deepEqual(configOf(form, [...main, ...more]), expected);
  form.set('serviceAccountPassword', 'new');
  form.delete('tls');
  assert.deepEqual(configOf(form, [...main, ...more]), { ...expected, tls: false, serviceAccountPassword: 'new' });
});

test('what is stored stands in the form, else what it would be', () => {
  const config = { id: 'openldap', type: 'openLdapConfig', links: {}, servers: ['a', 'b'], connectionTimeout: null };
  assert.deepEqual(
    [...main, ...more].map(field => shownValue(config, field)),
    ['a\nb', 'false', '', '5000', ''],
  );
});

test('a test names the configuration as the provider has it', () => {
  assert.deepEqual(['activedirectory', 'freeipa', 'githubapp', 'azuread', 'keycloakoidc'].map(configKey), [
    'activeDirectoryConfig',
    'ldapConfig',
    'githubConfig',
    'config',
    'oidcConfig',
  ]);
});

test('only addresses of the web lead anywhere', () => {
  assert.equal(webAddress('https://id.example/authorize?x=1'), 'https://id.example/authorize?x=1');
  for (const text of ['javascript:alert(1)', 'data:text/html,x', '/ui/', undefined])
    assert.equal(webAddress(text), undefined);
});
