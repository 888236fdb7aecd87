/** Nothing that is made for a host has a secret that says nothing, and no file that asks for one is taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminKubeconfig, readCluster } from '../config/index.ts';
import { completeCertificates } from '../pki/cluster-certs.ts';
import { wantedEncryption } from '../pki/encryption.ts';
import { wantedHost } from './wanted-host.ts';

const everything = ['controlplane', 'etcd', 'worker'];
const config = {
  cluster_name: 'c',
  nodes: ['a', 'b'].map((name, index) => ({
    ...{ address: `192.0.2.${index + 1}`, hostname_override: name, user: 'root', ssh_key: 'x' },
    role: index === 0 ? everything : ['worker'],
  })),
  services: { 'kube-api': { secrets_encryption_config: { enabled: true } } },
  authentication: { strategy: 'x509|webhook' },
};
const facts = {
  ...({ cgroupVersion: 2, canRaiseLimits: true, bridgeNetfilter: true } as const),
  ...{ resolvConf: '/etc/resolv.conf', nameservers: ['192.0.2.53'] },
};
const bundle = {
  ...({ format: 1, id: 'a'.repeat(64), madeFrom: '', platform: 'linux-amd64' } as const),
  ...{ versions: { kubernetes: 'v1.36.3' }, files: [] },
  images: { pause: { name: 'drover.io/pause:1', path: 'images/pause.tar' } },
};

/** Everything by a name that is a secret's, with its value. */
function secretsIn(value: unknown, at = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]): [string, unknown][] =>
    /^(secret|password|token|.*-key-data|secret_?key)$/i.test(key)
      ? [[`${at}.${key}`, inner]]
      : secretsIn(inner, `${at}.${key}`),
  );
}

test('no secret that is made for hosts is blank', async () => {
  const { spec } = await readCluster(config, { dir: '/' });
  const { certificates } = await completeCertificates(spec, {});
  const encryption = wantedEncryption(spec, undefined);
  const hosts = spec.nodes.map(node => wantedHost({ spec, node, certificates, bundle, facts, encryption }));
  const found = secretsIn(adminKubeconfig(spec, certificates), 'kubeconfig');
  for (const { files, etcd, etcdHelpers, controlPlane, worker } of hosts) {
    for (const { path, content, mode } of files) {
      assert.ok(content.trim() !== '', `${path} is empty`);
      if (content.startsWith('{')) found.push(...secretsIn(JSON.parse(content), path));
      if (path.endsWith('-key.pem')) {
        assert.match(content, /^-----BEGIN [A-Z ]*PRIVATE KEY-----\n[\s\S]{150,}-----END/, path);
        assert.equal(mode, 0o600, path);
      }
    }
    for (const { name, text } of [...etcd, ...etcdHelpers, ...controlPlane, ...worker])
      assert.doesNotMatch(text, /(password|secret|token|key)[a-z-]*=(\s|"?$|\\)/im, name);
  }
  assert.ok(found.length >= 8, 'kubeconfigs and the keys of Secrets were to be looked at');
  for (const [where, value] of found) assert.ok(typeof value === 'string' && value.length >= 24, `${where} is blank`);
  const keys = found.filter(([where]) => where.endsWith('.secret'));
  assert.deepEqual(
    keys.map(([, value]) => Buffer.from(String(value), 'base64').length),
    [32],
  );
});

test('a key of Secrets that is blank is refused with its place', async () => {
  const withKey = (secret: unknown) => ({
    ...config,
    services: {
      'kube-api': {
        secrets_encryption_config: {
          enabled: true,
          custom_config: {
            resources: [{ resources: ['secrets'], providers: [{ aescbc: { keys: [{ name: 'a', secret }] } }] }],
          },
        },
      },
    },
  });
  for (const blank of ['', '  ', null])
    await assert.rejects(
      readCluster(withKey(blank), { dir: '/' }),
      /custom_config\.resources\[0\]\.providers\[0\]\.aescbc\.keys\[0\]\.secret: is blank/,
    );
  await readCluster(withKey('c2VjcmV0IGlzIHNlY3VyZSwgb3IgaXMgaXQ/IHllcw=='), { dir: '/' });
});
