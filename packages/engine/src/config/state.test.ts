/** The state of a cluster in a file: for its owner alone, round and back, and never written over what is not understood. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { completeCertificates, serviceAccountKey } from '../pki/cluster-certs.ts';
import { type KeptState, readCluster, readState, writeState } from './index.ts';

const dir = await mkdtemp(join(tmpdir(), 'drover-state-'));
after(() => rm(dir, { recursive: true }));

const node = {
  address: '10.0.0.1',
  user: 'root',
  hostname_override: 'a',
  role: ['etcd', 'controlplane'],
  ssh_key: 'k',
};
const { spec } = await readCluster({ cluster_name: 'prod', nodes: [node] }, { dir });
const { certificates } = await completeCertificates(spec, {});
const state: KeptState = {
  certificates,
  encryption: 'keys',
  etcdFormed: true,
  nodes: spec.nodes,
  hostKeys: { '10.0.0.1': 'SHA256:abc' },
};

test('what is written is read again, and is for its owner alone', async () => {
  const path = join(dir, 'one.rkestate');
  await writeState(path, spec, state);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const read = await readState(path, spec);
  assert.deepEqual(read?.hostKeys, state.hostKeys);
  assert.equal(read?.encryption, 'keys');
  assert.equal(read?.etcdFormed, true);
  assert.deepEqual(Object.keys(read!.certificates).sort(), Object.keys(certificates).sort());
  assert.equal(read!.certificates[serviceAccountKey]?.key.reveal(), certificates[serviceAccountKey]?.key.reveal());
  const again = await completeCertificates(spec, read!.certificates);
  assert.deepEqual(again.issued, {});
  assert.ok(!inspect(read, { depth: 9 }).includes('PRIVATE KEY'), 'keys print as stars');
});

test('the shape is the one that scripts around the original read', async () => {
  const path = join(dir, 'shape.rkestate');
  await writeState(path, spec, state);
  const raw = JSON.parse(await readFile(path, 'utf8'));
  const apiserver = raw.desiredState.certificatesBundle['kube-apiserver'];
  assert.equal(apiserver.name, 'kube-apiserver');
  assert.equal(apiserver.commonName, 'kube-apiserver');
  assert.equal(apiserver.envName, 'KUBE_APISERVER');
  assert.equal(apiserver.path, '/etc/kubernetes/ssl/kube-apiserver.pem');
  assert.deepEqual(raw.currentState.rkeConfig.nodes[0].role, ['etcd', 'controlplane']);
});

test('what others put into the file stays', async () => {
  const path = join(dir, 'others.rkestate');
  await writeState(path, spec, state);
  const raw = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...raw, note: 'mine' }));
  await writeState(path, spec, state);
  assert.equal(JSON.parse(await readFile(path, 'utf8')).note, 'mine');
});

const refused: [string, string, RegExp][] = [
  [
    'another cluster’s',
    JSON.stringify({ drover: { format: 1, cluster: 'test' } }),
    /belongs to the cluster "test", not "prod"/,
  ],
  ['one of RKE', JSON.stringify({ desiredState: { certificatesBundle: { 'kube-ca': {} } } }), /was written by RKE/],
  ['a newer version’s', JSON.stringify({ drover: { format: 2, cluster: 'prod' } }), /newer version/],
  ['nothing', 'null', /no whole state/],
  ['a list', '[]', /no whole state/],
  ['one without its nodes', '{"drover": {"format": 1, "cluster": "prod", "hostKeys": {}}}', /no whole state/],
  ['one without its keys', '{"drover": {"format": 1, "cluster": "prod", "nodes": []}}', /no whole state/],
  ['half a file', '{"desiredState": {', /can't be read/],
];
for (const [what, text, message] of refused) {
  test(`${what} is refused and left as it is`, async () => {
    const path = join(dir, 'refused.rkestate');
    await writeFile(path, text);
    await assert.rejects(readState(path, spec), message);
    assert.equal(await readFile(path, 'utf8'), text);
  });
}

test('certificates are kept until a name is missing, they near their end, or somebody asks', async () => {
  const { spec: wider } = await readCluster(
    { cluster_name: 'prod', nodes: [node], authentication: { sans: ['api.example.test'] } },
    { dir },
  );
  assert.deepEqual((await completeCertificates(wider, certificates)).issued, {
    'kube-apiserver': 'it does not name api.example.test',
  });
  const later = new Date(Date.now() + 300 * 86_400_000);
  const { issued } = await completeCertificates(spec, certificates, { now: later });
  assert.match(issued['kube-scheduler'] ?? '', /^it ends/);
  assert.equal(issued['kube-ca'], undefined);
  const asked = await completeCertificates(spec, certificates, { renew: name => name === 'kube-proxy' });
  assert.deepEqual(asked.issued, { 'kube-proxy': 'asked for' });
});
