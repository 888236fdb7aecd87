/** Which certificates of a cluster are renewed with nobody asking. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '@drover/base';
import { inspectCluster } from '../config/index.ts';
import { completeCertificates, dueCertificates } from './cluster-certs.ts';

const node = { address: '10.0.0.1', user: 'root', hostname_override: 'a', role: ['etcd', 'controlplane', 'worker'] };
const read = (nodes: readonly object[]) => inspectCluster({ nodes, ssh_agent_auth: true }, { dir: '/', name: 'prod' });
const { spec } = await read([node]);
const { certificates } = await completeCertificates(spec, {});
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);

test('none in the first eight months, all in the last four, and none right after', async () => {
  assert.deepEqual(dueCertificates(spec, certificates, inDays(240)), {});
  const due = dueCertificates(spec, certificates, inDays(250));
  assert.ok(due['kube-apiserver']?.startsWith('it ends 20'));
  const renewed = await completeCertificates(spec, certificates, { now: inDays(250) });
  assert.deepEqual(Object.keys(due).sort(), Object.keys(renewed.issued).sort());
  assert.deepEqual(dueCertificates(spec, { ...certificates, 'kube-proxy': renewed.certificates['kube-proxy']! }), {});
});

test('a certificate that others signed is theirs to renew', () => {
  const bare = { ...certificates['kube-ca']!, key: new Secret('') };
  const due = Object.keys(dueCertificates(spec, { ...certificates, 'kube-ca': bare }, inDays(300)));
  assert.deepEqual(
    due.filter(name => !name.includes('etcd')),
    ['kube-apiserver-proxy-client'],
  );
});

test('a host that is not made yet has nothing that ends, and is for a run that makes it', async () => {
  const more = (await read([node, { ...node, address: '10.0.0.2', hostname_override: 'b', role: ['worker'] }])).spec;
  assert.deepEqual(dueCertificates(more, certificates), {});
  assert.deepEqual(dueCertificates(spec, {}), {});
});
