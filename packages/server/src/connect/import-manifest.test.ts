/** The import manifest is data: no value can become YAML of its own, and names are those that tools look for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { credentialsName, importManifest, resolveImage } from './import-manifest.ts';
import { manifestText } from './import-route.ts';

const parts = {
  serverUrl: 'https://drover.example.com',
  token: 't'.repeat(54),
  caChecksum: 'a'.repeat(64),
  agentImage: 'drover/agent:v1',
  serverKey: 'k'.repeat(43),
  installUuid: 'u',
  serverVersion: 'v1',
};
/** The text that a cluster is given, by a server whose settings hold these values. */
function textOf(values: typeof parts): string {
  const settings: Record<string, string> = {
    'agent-image': values.agentImage,
    'install-uuid': values.installUuid,
    'server-version': values.serverVersion,
  };
  const caches = { cluster: { get: () => undefined }, secret: {} } as never;
  const deps = { caches, serverKey: values.serverKey, setting: (name: string) => settings[name] ?? '' };
  return manifestText(deps, { clusterId: 'c-1', token: values.token, serverUrl: values.serverUrl });
}

test('the objects and their names', () => {
  assert.deepEqual(
    importManifest(parts).map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    [
      'ClusterRole proxy-clusterrole-kubeapiserver',
      'ClusterRoleBinding proxy-role-binding-kubernetes-master',
      'Namespace cattle-system',
      'ServiceAccount cattle',
      'ClusterRoleBinding cattle-admin-binding',
      `Secret ${credentialsName(parts)}`,
      'ClusterRole cattle-admin',
      'ClusterRoleBinding drover-controllers-u',
      'Deployment cattle-cluster-agent',
      'Service cattle-cluster-agent',
    ],
  );
  assert.match(credentialsName(parts), /^cattle-credentials-[0-9a-f]{10}$/);
  assert.notEqual(credentialsName(parts), credentialsName({ ...parts, token: 'other' }));
});

test('with agents for the nodes there is one on each, on the node’s own network', () => {
  const objects = importManifest({ ...parts, nodeAgents: true });
  const daemonSet = objects.find(({ kind }) => kind === 'DaemonSet') as unknown as {
    metadata: { name: string };
    spec: {
      template: { spec: { hostNetwork: boolean; containers: { env: { name: string; valueFrom?: unknown }[] }[] } };
    };
  };
  assert.equal(daemonSet.metadata.name, 'cattle-node-agent');
  const { hostNetwork, containers } = daemonSet.spec.template.spec;
  assert.equal(hostNetwork, true);
  assert.ok(containers[0]!.env.some(({ name, valueFrom }) => name === 'DROVER_NODE_NAME' && valueFrom));
});

test('whatever the settings hold, the text parses back to the same objects', () => {
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom('a\n---\nkind: Pod', "'; x: y", '"}', '- a', '*x', '&a b', '!!js/f', '{{ .x }}', '#', '\u2028'),
  );
  fc.assert(
    fc.property(value, value, value, value, (agentImage, serverVersion, installUuid, serverUrl) => {
      const values = { ...parts, agentImage, serverVersion, installUuid, serverUrl, caChecksum: '' };
      const parsed = parseAllDocuments(textOf(values)).map(document => document.toJS());
      assert.deepEqual(parsed, JSON.parse(JSON.stringify(importManifest(values))));
    }),
    { numRuns: 60 },
  );
});

test('the registry of the settings goes before images that name none', () => {
  assert.equal(resolveImage('drover/agent:v1', 'reg.example.com:5000/'), 'reg.example.com:5000/drover/agent:v1');
  assert.equal(resolveImage('drover/agent:v1', ''), 'drover/agent:v1');
  for (const named of ['quay.example.com/a/b', 'localhost/a', 'host:5000/a'])
    assert.equal(resolveImage(named, 'reg'), named);
});
