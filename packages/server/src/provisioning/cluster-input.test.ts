/** What a client may say of a cluster on hosts: every problem by its field, no secret kept in the open, nothing read from our disk. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '@drover/api';
import { prepareEngineInput } from './cluster-input.ts';
import { joinSecrets, splitSecrets } from './config-secrets.ts';

const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n';
const node = { address: '192.0.2.1', user: 'root', role: ['etcd', 'controlplane', 'worker'], sshKey: key };

const refusal = async (config: object): Promise<string> => {
  try {
    await prepareEngineInput({ name: 'a', rancherKubernetesEngineConfig: config });
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

test('a cluster without hosts is taken: they register later', async () => {
  const taken = await prepareEngineInput({ name: 'a', rancherKubernetesEngineConfig: {} });
  assert.deepEqual(taken['localClusterAuthEndpoint'], { enabled: true });
  assert.equal(await refusal({ nodes: [{ ...node, role: ['worker'] }] }), '');
  assert.equal(await refusal({ type: 'rancherKubernetesEngineConfig', network: { type: 'networkConfig' } }), '');
});

test('everything that is wrong is told at once, by the names that v3 has', async () => {
  const told = await refusal({
    kubernetesVersion: 'new',
    network: { plugin: 'weave' },
    services: { kubeApi: { serviceClusterIpRange: 'everywhere' }, etcd: { backupConfig: { intervalHours: -1 } } },
  });
  for (const pattern of [
    /^rancherKubernetesEngineConfig\./,
    /kubernetesVersion: vnew is no version/,
    /network\.plugin: weave can't be had/,
    /services\.kubeApi\.serviceClusterIpRange: everywhere is no range/,
    /services\.etcd\.backupConfig\.intervalHours: must be at least 1/,
  ])
    assert.match(told, pattern);
});

test('two hosts with one address, and roles that there are not', async () => {
  assert.match(
    await refusal({ nodes: [node, { ...node, hostnameOverride: 'b' }] }),
    /nodes\[1\]\.address: 192\.0\.2\.1 is the same as that of nodes\[0\]/,
  );
  assert.match(await refusal({ nodes: [{ ...node, role: ['master'] }] }), /"master" is none of etcd/);
});

test('nothing is read from the server’s disk, or reached by its own keys, however it is spelled', async () => {
  const { sshKey: _, ...bare } = node;
  const table: [object, RegExp][] = [
    [{ nodes: [{ ...bare, sshKeyPath: '/etc/shadow' }] }, /nodes\[0\]\.sshKeyPath: can’t be had/],
    [{ nodes: [{ ...bare, ssh_key_path: '/etc/shadow' }] }, /nodes\[0\]\.ssh_key_path: can’t be had/],
    [{ 'SSH-Key-Path': '/etc/shadow' }, /SSH-Key-Path: can’t be had/],
    [{ nodes: [{ ...node, sshCertPath: '/etc/shadow' }] }, /sshCertPath/],
    [{ nodes: [{ ...bare, sshAgentAuth: true }] }, /sshAgentAuth/],
    [{ nodes: [bare] }, /nodes\[0\]\.sshKey: is missing/],
    [{ bastionHost: { address: '192.0.2.9', user: 'root' } }, /bastionHost\.sshKey: is missing/],
    [{ addonsInclude: ['/etc/shadow'] }, /addonsInclude: can’t be had/],
    [{ nodes: [{ ...node, address: '127.0.0.1' }] }, /nodes\[0\]\.address: 127\.0\.0\.1 is this server itself/],
    [{ nodes: [{ ...node, address: '169.254.169.254' }] }, /leads nowhere/],
  ];
  for (const [config, pattern] of table) assert.match(await refusal(config), pattern);
});

test('secrets are taken out, kept where nobody sends them back, and follow their host alone', async () => {
  const customConfig = {
    kind: 'EncryptionConfiguration',
    resources: [
      {
        resources: ['secrets'],
        providers: [{ aescbc: { keys: [{ name: 'a', secret: 'aGlkZGVuaGlkZGVuaGlkZGVuaGlkZGVuaGlkZGVuaGk=' }] } }],
      },
    ],
  };
  const config = {
    nodes: [node],
    services: {
      etcd: { backupConfig: { s3BackupConfig: { bucketName: 'bucket', accessKey: 'a', secretKey: 'hidden' } } },
      kubeApi: { secretsEncryptionConfig: { enabled: true, customConfig } },
    },
    privateRegistries: [{ url: 'registry.example.com', user: 'u', password: 'hidden' }],
  };
  const taken = await prepareEngineInput({ name: 'a', rancherKubernetesEngineConfig: config });
  const shown = taken['rancherKubernetesEngineConfig'] as typeof config;
  assert.ok(!/hidden|aGlkZGVu|PRIVATE KEY/.test(JSON.stringify(shown)));
  const secrets = taken['engineSecrets'] as Record<string, string>;
  assert.deepEqual(joinSecrets({ config: shown, secrets }), config);

  const before = { spec: { displayName: 'a', rancherKubernetesEngineConfig: shown, engineSecrets: secrets } };
  const cluster = before as unknown as Cluster;
  const again = await prepareEngineInput({ rancherKubernetesEngineConfig: shown }, cluster);
  assert.deepEqual(again['engineSecrets'], secrets, 'what is not sent stays');
  const moved = { ...shown, nodes: [{ ...shown.nodes[0], address: '192.0.2.66' }] };
  await assert.rejects(prepareEngineInput({ rancherKubernetesEngineConfig: moved }, cluster), /sshKey: is missing/);
});

test('an imported cluster gets no config, and one on hosts keeps its own', async () => {
  const imported = { spec: { displayName: 'a' } } as unknown as Cluster;
  await assert.rejects(prepareEngineInput({ rancherKubernetesEngineConfig: {} }, imported), /was imported/);
  const made = { spec: { displayName: 'a', rancherKubernetesEngineConfig: {} } } as unknown as Cluster;
  await assert.rejects(prepareEngineInput({ rancherKubernetesEngineConfig: null }, made), /delete the cluster/);
});

test('lists of what is known by no address are told apart by their order', () => {
  const { config, secrets } = splitSecrets({ nodes: [{ sshKey: 'a' }, { sshKey: 'b' }] });
  assert.deepEqual(joinSecrets({ config, secrets }), { nodes: [{ sshKey: 'a' }, { sshKey: 'b' }] });
});
