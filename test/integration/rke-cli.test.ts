/** `drover rke` as far as no host is needed: files that it writes, and what it refuses before it looks for one. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { kubernetesVersions, readClusterFile } from '@drover/engine';
import { makeCommandLine } from './command-line.ts';

const file = `cluster_name: prod
ssh_key_path: key
nodes:
  - { address: 192.0.2.11, hostname_override: a, user: root, role: [controlplane, etcd, worker] }
`;

test('a state is made without any host, and what hangs on it is made from it', async () => {
  await using cli = await makeCommandLine();
  const { home } = cli;
  const config = ['--config', join(home, 'cluster.yml')];
  const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(join(home, 'cluster.yml'), file);
  await writeFile(join(home, 'key'), key, { mode: 0o600 });
  const early = await cli.run(['rke', 'util', 'get-kubeconfig', ...config]);
  assert.match(early.stderr, /there is no state of a cluster .*run up first/);

  const made = await cli.run(['rke', 'up', '--init', ...config]);
  assert.equal(made.code, 0, made.stderr);
  assert.equal((await stat(join(home, 'cluster.rkestate'))).mode & 0o777, 0o600);
  const listed = await cli.run(['rke', 'cert', 'list', ...config, '-o', 'json']);
  const rows = JSON.parse(listed.stdout) as { name: string; ends: string }[];
  assert.ok(rows.some(({ name }) => name === 'kube-etcd-192-0-2-11'));
  assert.deepEqual(
    rows.map(({ ends }) => ends),
    rows.map(({ ends }) => ends).sort(),
  );
  assert.equal((await cli.run(['rke', 'util', 'get-kubeconfig', ...config])).code, 0);
  assert.match(await readFile(join(home, 'kube_config_cluster.yml'), 'utf8'), /server: https:\/\/192\.0\.2\.11:6443/);
  const kept = await cli.run(['rke', 'util', 'get-state-file', ...config]);
  assert.match(kept.stderr, /--force: .*cluster\.rkestate is there/);

  assert.equal((await cli.run(['rke', 'cert', 'generate-csr', ...config])).code, 0);
  const requests = await readdir(join(home, 'cluster_certs'));
  assert.ok(requests.includes('kube-apiserver-csr.pem') && requests.includes('kube-apiserver-key.pem'));

  const refused: [string[], RegExp][] = [
    [['up', '--custom-certs'], /--cert-dir: .*\nkube-ca\.pem is missing/],
    [['up', '--dind'], /--dind: can not be had/],
    [['cert', 'rotate', '--rotate-ca', '--service', 'etcd'], /--service: can not be given with --rotate-ca/],
    [['cert', 'rotate', '--service', 'kubelett'], /--service: kubelett is none of etcd/],
    [['cert', 'rotate', '--rotate-ca', '--restart-workloads', 'some'], /--restart-workloads: must be system or all/],
    [['etcd', 'snapshot-save', '--bucket-name', 'b12'], /--s3: is needed/],
    [['etcd', 'snapshot-save', '--s3'], /--bucket-name: is missing/],
    [['etcd', 'snapshot-save', '--s3', '--bucket-name', 'b12', '--access-key', 'a'], /--secret-key: is missing/],
    [['etcd', 'snapshot-delete'], /--name: say which one/],
  ];
  for (const [args, message] of refused) {
    const { code, stderr } = await cli.run(['rke', ...args, ...config]);
    assert.ok(code > 0 && message.test(stderr), `${args.join(' ')}: ${stderr}`);
  }
});

test('a cluster.yml to begin with is one that is taken, and is not written over', async () => {
  await using cli = await makeCommandLine();
  const name = join(cli.home, 'new.yml');
  const shown = await cli.run(['rke', 'config', '--empty', '--print']);
  assert.match(shown.stdout, /^cluster_name: local\n/);
  assert.equal((await cli.run(['rke', 'config', '--empty', '--name', name])).code, 0);
  const text = await readFile(name, 'utf8');
  assert.equal(text.trim(), shown.stdout.trim());
  // As it is it lacks hosts alone.
  const filled = text.replace('address: ""', 'address: 192.0.2.1').replace('role: []', 'role: [etcd, controlplane]');
  const { spec } = await readClusterFile(filled.replace('user: ""', 'user: root').replace(/ +ssh_key_path: ""\n/, ''), {
    dir: cli.home,
    useAgent: true,
  });
  assert.equal(spec.nodes[0]?.address, '192.0.2.1');
  assert.match((await cli.run(['rke', 'config', '--empty', '--name', name])).stderr, /--name: .*new\.yml is there/);
  assert.match((await cli.run(['rke', 'config', '--print'])).stderr, /--empty: there is no terminal to ask on/);
  const versions = await cli.run(['rke', 'config', '--list-version', '--all']);
  assert.deepEqual(versions.stdout.trim().split('\n'), Object.values(kubernetesVersions));
});
