/** Redaction: a canary in every place where a secret may stand is never shown, and what tells who did what still is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { redactJson, redactText } from './redact.ts';
import { hidesBodies, redactHeaders, redactUri } from './redact-request.ts';

const canary = 'canary-s3cr3t-value';
const token = `token-abcde:${'b4c7'.repeat(13)}zz`;
const jwt = `eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl`;

for (const [what, value] of [
  ['a password', { username: 'a', password: canary }],
  ['however it is spelled', { newPassword: canary, 'pass-word': canary, DB_PASSWORD: canary, passphrase: canary }],
  ['a number that is one', { password: 12_345, list: [{ apiKey: 12_345 }] }],
  ['a kubeconfig', { kubeConfig: canary, kube_config: { users: [canary] } }],
  ['tokens', { token: canary, bearerToken: canary, accessTokens: [canary] }],
  ['the data of a Secret', { kind: 'Secret', data: { a: canary }, stringData: { b: canary } }],
  ['of one in a list', { kind: 'List', items: [{ kind: 'Secret', data: { a: canary } }] }],
  ['of one in v3’s form', { type: 'namespacedSecret', data: { a: canary } }],
  ['of a ConfigMap', { kind: 'ConfigMap', data: { a: canary }, binaryData: { b: canary } }],
  [
    'what was last applied',
    { metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"data":"${canary}"}` } } },
  ],
  ['an environment', { env: [{ name: 'DB_PASSWORD', value: canary }] }],
  ['a setting', { id: 'webhook-secret', value: canary }],
  ['a step of a JSON Patch', [{ op: 'replace', path: '/spec/password', value: canary }]],
  ['a step to a Secret’s data', [{ op: 'add', path: '/data/a', value: canary }]],
  ['JSON in a text', { body: JSON.stringify({ inner: { password: canary } }) }],
  ['YAML of a Secret in a text', { text: `apiVersion: v1\nkind: Secret\ndata:\n  a: ${canary}` }],
  ['a kubeconfig in a text', { config: `users:\n- user:\n    token: ${canary}` }],
  ['a private key in a text', { text: `-----BEGIN EC PRIVATE KEY-----\n${canary}\n-----END EC PRIVATE KEY-----` }],
  ['commands that join a cluster', { command: `kubectl apply -f https://a/v3/import/${canary}_c.yaml` }],
  ['values of a chart', { valuesYaml: canary, answers: { a: canary }, values: { a: canary } }],
  ['credentials of a cloud', { amazonec2credentialConfig: { accessKey: canary, secretKey: canary } }],
  ['an address with a token in its query', { links: { next: `https://a/v3/users?limit=1&token=${canary}&x=1` } }],
  ['an address with a password', { url: `https://user:${canary}@example.com/x` }],
] as const) {
  test(`redaction takes out ${what}`, () => {
    const shown = JSON.stringify(redactJson(value));
    assert.ok(!shown.includes(canary) && !shown.includes('12345'), shown);
  });
}

test('redaction leaves what tells who did what', () => {
  const value = {
    kind: 'Deployment',
    metadata: { name: 'web', labels: { app: 'a' } },
    mustChangePassword: true,
    spec: {
      replicas: 3,
      imagePullSecrets: [{ name: 'regcred' }],
      containers: [{ command: ['sh', '-c', 'run'], env: [{ name: 'LEVEL', value: 'info' }] }],
      volumes: [{ secretName: 'tls' }],
      selector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] },
    },
  };
  assert.deepEqual(redactJson(value), value);
});

test('texts lose what looks like a credential', () => {
  for (const text of [`the token ${token} is bad`, `jwt ${jwt}`, `Authorization: Bearer ${'x'.repeat(20)}`])
    assert.match(redactText(text), /\*\*\*|\[redacted\]/);
  assert.equal(redactText(`a ${token} b`), 'a token-abcde:*** b');
});

test('any JSON at all, however deep, is taken without a throw, and no password in it is shown', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 6 }),
      fc.array(fc.constantFrom('a', 'items', 'spec', '__proto__', 'value')),
      (inside, way) => {
        let value: unknown = { other: inside, password: canary };
        for (const step of way) value = JSON.parse(`{${JSON.stringify(step)}:[${JSON.stringify(value)}]}`);
        assert.ok(!JSON.stringify(redactJson(value)).includes(canary));
      },
    ),
  );
  let deep: unknown = { password: canary };
  for (let i = 0; i < 500; i++) deep = [deep];
  assert.ok(!JSON.stringify(redactJson(deep)).includes(canary));
});

for (const [uri, shown] of [
  ['/v3/import/tok_c-1.yaml', '/v3/import/***_c-1.yaml'],
  ['/v3//import//tok_c-1.yaml', '/v3//import//***_c-1.yaml'],
  ['/v3/%69mport/tok_c-1.yaml', '/v3/import/***_c-1.yaml'],
  ['/v3/x?token=canary&limit=5', '/v3/x?token=[redacted]&limit=5'],
  ['/v3/x?%74oken=canary', '/v3/x?%74oken=[redacted]'],
  ['/v3/x?access_token=a&code=b', '/v3/x?access_token=[redacted]&code=[redacted]'],
  ['/k8s/clusters/c-1/api/v1/pods?watch=true&continue=abc', '/k8s/clusters/c-1/api/v1/pods?watch=true&continue=abc'],
] as const) {
  test(`address ${uri} is told as ${shown}`, () => assert.equal(redactUri(uri), shown));
}

test('headers tell no credential, in their own place or another', () => {
  const shown = redactHeaders([
    ['Authorization', `Bearer ${canary}`],
    ['COOKIE', `R_SESS=${canary}`],
    ['X-Api-Tunnel-Params', canary],
    ['X-Vault-Token', canary],
    ['Sec-WebSocket-Protocol', `v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.${canary}`],
    ['Referer', `https://a/v3/import/${canary}_c-1.yaml`],
    ['X-Other', `Bearer ${canary}`],
    ['Accept', 'application/json'],
    ['Accept', 'text/html'],
  ]);
  assert.ok(!JSON.stringify(shown).includes(canary), JSON.stringify(shown));
  assert.deepEqual(shown['accept'], ['application/json', 'text/html']);
  assert.equal(shown['referer']?.[0], 'https://a/v3/import/***_c-1.yaml');
});

test('bodies about secrets, of sign-ins and for workloads are left out whole', () => {
  for (const [path, search] of [
    ['/k8s/clusters/c-1/api/v1/namespaces/n/secrets/a', ''],
    ['/k8s/clusters/c-1/api/v1/namespaces/n/%73ecrets', ''],
    ['/k8s/clusters/c-1/api/v1/namespaces/n/configmaps', '?limit=1'],
    ['/k8s/clusters/c-1/api/v1/namespaces/n/serviceaccounts/a/token', ''],
    ['/k8s/clusters/c-1/api/v1/namespaces/n/services/s:80/proxy/login', ''],
    ['/v3/project/c-1:p-1/namespacedSecrets', ''],
    ['/v3-public/localProviders/local', '?action=login'],
    ['/v1-public/login', ''],
    ['/v3/clusters/c-1', '?action=generateKubeconfig'],
    ['/v3/clusters/c-1', '?action=%67enerateKubeconfig'],
  ] as const)
    assert.equal(hidesBodies(path, search), true, path + search);
  for (const path of ['/v3/clusters', '/v3/users/u-1', '/k8s/clusters/c-1/apis/apps/v1/namespaces/n/deployments'])
    assert.equal(hidesBodies(path, ''), false, path);
});
