/** Kubeconfigs: what is refused and how it is told, kubectl's merging rules, and connections made of contexts. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hasReason, messageOf, Secret } from '@drover/base';
import { toConnection } from './connection.ts';
import { loadKubeconfig } from './files.ts';
import { inClusterConnection } from './in-cluster.ts';
import { parseKubeconfig } from './kubeconfig.ts';
import { tokenFile } from './token-file.ts';

async function tempDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-kubeconfig-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
const whole = (more: { cluster?: object; user?: object; current?: string } = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': more.current ?? 'ctx',
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443', ...more.cluster } }],
    users: [{ name: 'u', user: more.user ?? { token: 'tok' } }],
    contexts: [{ name: 'ctx', context: { cluster: 'c', user: 'u' } }],
  });

const refusedByParse: [string, string, RegExp][] = [
  ['bad YAML', 'a: [1\nb: }', /^f: line 2, column \d: must be valid YAML/],
  ['a list', '- a', /^f: must be a kubeconfig/],
  ['another kind', 'kind: Pod', /^f: kind: must be Config, not "Pod"/],
  ['clusters as a map', 'clusters: {a: b}', /^f: clusters: must be a list of entries with name and cluster/],
  ['an entry without a name', 'users: [{user: {}}]', /^f: users\[0\].name: must be a name/],
  ['a name twice', 'users: [{name: a}, {name: a}]', /^f: users\[1\].name: "a" is there twice/],
  [
    'a numeric token',
    'users: [{name: a, user: {token: 123}}]',
    /^f: users "a": token: must be text \(put it in quotes\)/,
  ],
  ['a word for a switch', 'clusters: [{name: a, cluster: {insecure-skip-tls-verify: "yes"}}]', /must be true or false/],
  ['a bomb of aliases', `a: &a [${'x,'.repeat(50)}]\nb: &b [${'*a,'.repeat(50)}]\nc: [${'*b,'.repeat(50)}]`, /aliases/],
];

for (const [what, text, message] of refusedByParse) {
  test(`${what} is refused, naming file and place`, async () => {
    await assert.rejects(parseKubeconfig(text, 'f'), error => {
      assert.ok(hasReason(error, 'Invalid'));
      assert.match(error.message, message);
      return true;
    });
  });
}

test('an error in a kubeconfig never quotes what stands around it', async () => {
  await assert.rejects(parseKubeconfig('users:\n- name: a\n  user:\n    token: hunter2 : }', 'f'), error => {
    assert.doesNotMatch(messageOf(error), /hunter2/);
    return true;
  });
});

const refusedByConnection: [string, string, RegExp][] = [
  ['no current context', whole({ current: '' }), /current-context: is not set in f: choose one of ctx/],
  ['an unknown context', whole({ current: 'other' }), /context: "other" is not in f: choose one of ctx/],
  [
    'an unknown user',
    whole().replace('"user":"u"', '"user":"v"'),
    /f: context "ctx": user: there is no user "v"; there is u/,
  ],
  [
    'an unknown cluster',
    whole().replace('"cluster":"c"', '"cluster":"d"'),
    /context "ctx": cluster: there is no cluster "d"/,
  ],
  [
    'a server that is no URL',
    whole({ cluster: { server: '10.0.0.1:6443' } }),
    /cluster "c": server: must be a URL such as/,
  ],
  [
    'a CA that is no base64',
    whole({ cluster: { 'certificate-authority-data': '%%' } }),
    /certificate-authority-data: must be base64/,
  ],
  [
    'a CA that is no PEM',
    whole({ cluster: { 'certificate-authority-data': base64('x') } }),
    /must be a certificate in PEM/,
  ],
  [
    'a CA file that is not there',
    whole({ cluster: { 'certificate-authority': 'ca.pem' } }),
    /certificate-authority: can't read the file ca.pem/,
  ],
  [
    'trust and no trust at once',
    whole({ cluster: { 'certificate-authority-data': base64(pem), 'insecure-skip-tls-verify': true } }),
    /insecure-skip-tls-verify: must not be set/,
  ],
  ['a proxy that is no URL', whole({ cluster: { 'proxy-url': 'ftp://x' } }), /proxy-url: must be http/],
  ['a certificate without key', whole({ user: { 'client-certificate-data': base64(pem) } }), /client-key: is missing/],
  [
    'an auth-provider',
    whole({ user: { 'auth-provider': { name: 'gcp' } } }),
    /auth-provider: is gone .* use an exec plugin/,
  ],
  [
    'an exec plugin without command',
    whole({ user: { exec: { apiVersion: 'x' } } }),
    /exec.command: must be the program/,
  ],
  [
    'an exec plugin of an unknown version',
    whole({ user: { exec: { command: 'x', apiVersion: 'x' } } }),
    /exec.apiVersion: must be client/,
  ],
];

for (const [what, text, message] of refusedByConnection) {
  test(`a connection with ${what} is refused, naming entry and what would be right`, async () => {
    const config = await parseKubeconfig(text, 'f');
    await assert.rejects(toConnection(config, { env: {} }), error => {
      assert.match(messageOf(error), message);
      return hasReason(error, 'Invalid', 'BadRequest');
    });
  });
}

test('a connection carries what cluster and user say, secrets hidden', async () => {
  const user = {
    'client-certificate-data': base64(pem),
    'client-key-data': base64('key'),
    as: 'ann',
    'as-groups': ['g'],
  };
  const cluster = { 'certificate-authority-data': base64(pem), 'tls-server-name': 'kube', 'proxy-url': 'socks5://p:1' };
  const connection = await toConnection(await parseKubeconfig(whole({ cluster, user }), 'f'), { env: {} });
  assert.deepEqual(connection, {
    server: 'https://10.0.0.1:6443',
    ca: pem,
    insecureSkipTlsVerify: undefined,
    serverName: 'kube',
    proxyUrl: 'socks5://p:1',
    clientCert: pem,
    clientKey: new Secret('key'),
    impersonate: { user: 'ann', uid: undefined, groups: ['g'], extra: undefined },
  });
  assert.equal(connection.clientKey?.reveal(), 'key');
});

test('several files are merged: the first that says something wins, missing files are passed over', async t => {
  const dir = await tempDir(t);
  const file = (name: string) => join(dir, name);
  await writeFile(file('a'), 'users: [{name: u, user: {token: first}}]');
  await writeFile(file('b'), whole({ user: { token: 'second', username: 'x' } }));
  const env = { KUBECONFIG: [file('missing'), file('a'), file('b')].join(':') };
  const config = await loadKubeconfig({ env });
  assert.equal(config.currentContext, 'ctx');
  const connection = await toConnection(config, { env });
  assert.equal((connection.token as Secret).reveal(), 'first');
  // Nothing of the second file's user is mixed in.
  assert.equal(connection.username, undefined);
  await assert.rejects(loadKubeconfig({ path: file('missing') }), /kubeconfig: there is no file .*missing/);
});

test('file paths are relative to the file that names them', async t => {
  const dir = await tempDir(t);
  await mkdir(join(dir, 'pki'));
  await writeFile(join(dir, 'pki', 'ca.pem'), pem);
  await writeFile(join(dir, 'token'), 'tok\n');
  const text = whole({ cluster: { 'certificate-authority': 'pki/ca.pem' }, user: { tokenFile: 'token' } });
  await writeFile(join(dir, 'config'), text);
  const connection = await toConnection(await loadKubeconfig({ path: join(dir, 'config') }), { env: {} });
  assert.equal(connection.ca, pem);
  assert.equal(typeof connection.token === 'function' && (await connection.token())?.reveal(), 'tok');
});

test('a token file is read again after a minute, at once when its token was rejected, and may be away meanwhile', async t => {
  const path = join(await tempDir(t), 'token');
  let now = 0;
  await assert.rejects(tokenFile(path)(), /can't read the token in/);
  await writeFile(path, 'one');
  const source = tokenFile(path, { now: () => now });
  const token = async (options = {}) => (await source(options))?.reveal();
  assert.equal(await token(), 'one');
  await writeFile(path, 'two');
  assert.equal(await token(), 'one');
  assert.equal(await token({ rejected: new Secret('one') }), 'two');
  await writeFile(path, 'three');
  now = 60_000;
  assert.equal(await token(), 'three');
  await rm(path);
  now = 120_000;
  assert.equal(await token(), 'three');
});

test("a pod's connection comes from its mount, and is refused outside of a pod", async t => {
  const dir = await tempDir(t);
  for (const [name, text] of Object.entries({ token: 't', 'ca.crt': pem, namespace: 'ns\n' })) {
    await writeFile(join(dir, name), text);
  }
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  const { connection, namespace } = await inClusterConnection({ dir, env });
  assert.deepEqual([connection.server, connection.ca, namespace], ['https://[fd00::1]:443', pem, 'ns']);
  await assert.rejects(inClusterConnection({ dir, env: {} }), /not in a pod/);
});
