/**
 * A cluster behind an unmodified agent's tunnel, here the real Go remotedialer: its token is swapped for one that may
 * only impersonate, and users reach through as themselves.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ignoreNotFound, type Resource, Secret, until } from '@drover/base';
import { clusterRoleBindings, configMaps, KubeClient, namespaces, serviceAccounts } from '@drover/kube';
import { startHub } from './hub.ts';
import { missingApiServer, startApiServer } from './kube-apiserver.ts';
import { noGo, peerBinary, startPeer } from './tunnel-peer.ts';

test('a foreign agent’s cluster is reached by impersonation alone', { skip: missingApiServer() }, async t => {
  if (!(await peerBinary())) return t.skip(noGo);
  await using api = await startApiServer();
  await using hub = await startHub({ repairEveryMs: 1000 });
  await using direct = new KubeClient(api.connection);
  const object = (apiVersion: string, kind: string, rest: object) => ({ apiVersion, kind, ...rest }) as Resource;
  const apply = (resource: Resource) => direct.apply(resource, { fieldManager: 'test' });
  await apply(object('v1', 'Namespace', { metadata: { name: 'cattle-system' } }));
  await apply(object('v1', 'ServiceAccount', { metadata: { name: 'cattle', namespace: 'cattle-system' } }));
  await apply(
    object('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', {
      metadata: { name: 'cattle-admin-binding' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'cattle', namespace: 'cattle-system' }],
    }),
  );
  const path = '/api/v1/namespaces/cattle-system/serviceaccounts/cattle/token';
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { status } = await direct.request<{ status: { token: string } }>('POST', path, { body });
  const params = {
    cluster: {
      address: new URL(api.connection.server).host,
      token: status.token,
      caCert: Buffer.from(api.connection.ca!).toString('base64'),
    },
  };
  const cluster = await hub.makeCluster('foreign');
  const admin = await hub.makeUser('root', 'admin');
  await using agent = await startPeer(
    ...['-mode', 'client', '-url', `wss://127.0.0.1:${hub.port}/v3/connect/register`],
    ...['-ca-file', join(hub.dir, 'ca.crt'), '-header', `X-API-Tunnel-Token: ${cluster.token}`],
    ...['-header', `X-API-Tunnel-Params: ${Buffer.from(JSON.stringify(params)).toString('base64')}`],
  );
  assert.ok(agent.pid);

  await using client = hub.client(cluster.id, admin.bearer);
  const seen = await until('the cluster to be reached', () => client.list<Resource>(namespaces), { timeoutMs: 20_000 });
  assert.ok(seen.items.some(item => item.metadata.name === 'cattle-system'));
  await client.create(configMaps, object('v1', 'ConfigMap', { metadata: { name: 'a', namespace: 'default' } }));

  const kept = [...hub.caches.secret.all()].find(secret =>
    secret.metadata.name.startsWith('cluster-serviceaccounttoken'),
  );
  const token = kept?.stringData?.['credential'] ?? '';
  assert.notEqual(token, '');
  assert.notEqual(token, status.token, 'the token that was handed over is not kept');
  const { server, ca } = api.connection;
  await using bare = new KubeClient({ server, ca, token: new Secret(token) });
  await assert.rejects(bare.list(namespaces), { status: 403 });
  await using impersonating = bare.impersonating({ user: 'nobody-in-particular' });
  await assert.rejects(impersonating.list(namespaces), { status: 403, message: /nobody-in-particular/ });

  // Whoever takes the account away locks the server out, until the agent has made it anew.
  for (const [ref, name, namespace] of [
    [clusterRoleBindings, 'drover-impersonator', undefined],
    [serviceAccounts, 'drover-impersonator', 'cattle-system'],
  ] as const) {
    const { uid } = (await direct.get<Resource>(ref, name, { namespace })).metadata;
    await direct.delete(ref, name, { namespace });
    await until(
      `the ${ref.resource} to be there again, and the cluster to be reached`,
      async () => {
        const there = await ignoreNotFound(direct.get<Resource>(ref, name, { namespace }));
        return there && there.metadata.uid !== uid && (await client.list<Resource>(namespaces)).items.length > 0;
      },
      { timeoutMs: 40_000, everyMs: 100 },
    );
  }
});
