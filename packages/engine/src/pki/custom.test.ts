/** Certificates that others sign: asked for, brought back, and held against what the cluster needs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Secret } from '@drover/base';
import { readCluster } from '../config/index.ts';
import { issueCert } from './certificate.ts';
import { authorities, completeCertificates, makeAuthority, wantedCertificates } from './cluster-certs.ts';
import { readCustomCertificates, writeRequests } from './custom.ts';

const dir = await mkdtemp(join(tmpdir(), 'drover-custom-'));
after(() => rm(dir, { recursive: true }));
const node = {
  address: '10.0.0.1',
  user: 'root',
  hostname_override: 'a',
  role: ['etcd', 'controlplane'],
  ssh_key: 'k',
};
const { spec } = await readCluster({ cluster_name: 'prod', nodes: [node] }, { dir });

test('all that is missing is said at once, and requests can be signed elsewhere and brought back', async t => {
  await assert.rejects(
    readCustomCertificates(spec, dir),
    /kube-ca\.pem is missing\nkube-etcd-ca\.pem is missing\nkube-apiserver-requestheader-ca\.pem is missing/,
  );
  const names = await writeRequests(spec, dir);
  assert.deepEqual(names.sort(), Object.keys(wantedCertificates(spec)).sort());
  assert.equal((await stat(join(dir, 'kube-apiserver-key.pem'))).mode & 0o777, 0o600);
  if (!spawnSync('openssl', ['version']).error) {
    const said = spawnSync('openssl', [
      'req',
      '-in',
      join(dir, 'kube-apiserver-csr.pem'),
      '-noout',
      '-verify',
      '-text',
    ]);
    assert.match(`${said.stderr}${said.stdout}`, /verify OK[\s\S]*DNS:kubernetes\.default\.svc/);
  } else t.diagnostic('openssl is not installed: requests are not looked at');

  for (const name of authorities) {
    const ca = await makeAuthority(name);
    await writeFile(join(dir, `${name}.pem`), ca.cert);
    // This one signs nothing here.
    if (name !== 'kube-etcd-ca') await writeFile(join(dir, `${name}-key.pem`), ca.key.reveal());
    else
      for (const [leaf, { by, ...request }] of Object.entries(wantedCertificates(spec))) {
        if (by !== name) continue;
        const key = new Secret(await readFile(join(dir, `${leaf}-key.pem`), 'utf8'));
        await writeFile(join(dir, `${leaf}.pem`), (await issueCert(ca, { ...request, key })).cert);
      }
  }
  const custom = await readCustomCertificates(spec, dir);
  const { certificates, issued } = await completeCertificates(spec, custom);
  assert.equal(certificates['kube-etcd-10-0-0-1']?.cert, await readFile(join(dir, 'kube-etcd-10-0-0-1.pem'), 'utf8'));
  assert.ok(!Object.keys(issued).some(name => name.startsWith('kube-etcd') || name.endsWith('-ca')));
  assert.equal(issued['kube-apiserver'], 'new');

  await writeFile(join(dir, 'kube-etcd-10-0-0-1.pem'), certificates['kube-apiserver-etcd-client']!.cert);
  await assert.rejects(readCustomCertificates(spec, dir), /kube-etcd-10-0-0-1\.pem: its key is another one/);
  const { 'kube-etcd-10-0-0-1': _, ...without } = custom;
  await assert.rejects(
    completeCertificates(spec, without),
    /there is no kube-etcd-10-0-0-1, and no key of kube-etcd-ca/,
  );
});
