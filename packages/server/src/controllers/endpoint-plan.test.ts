/** What is copied into a cluster for its authorized endpoint: hashes of its own tokens, and who they are of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster, ManagedNode, Token, User, UserAttribute } from '@drover/api';
import { hashKey, Secret } from '@drover/base';
import { directPlaces, proxyKubeconfig } from '../clusters/kubeconfig.ts';
import { endpointObjects } from './endpoint-objects.ts';
import { planEndpoint, probeName } from './endpoint-plan.ts';

const hash = hashKey('key');
const token = (name: string, more: Partial<Token> = {}): Token =>
  ({
    apiVersion: '',
    kind: 'Token',
    metadata: { name },
    userId: 'u-1',
    token: hash,
    clusterName: 'c-1',
    ...more,
  }) as Token;
const users = new Map<string, User>([
  ['u-1', { apiVersion: '', kind: 'User', metadata: { name: 'u-1' } } as User],
  ['u-2', { apiVersion: '', kind: 'User', metadata: { name: 'u-2' }, enabled: false } as User],
]);
const attributes = new Map<string, UserAttribute>([
  [
    'u-1',
    {
      metadata: { name: 'u-1' },
      groupPrincipals: { github: ['github_team://1', 'system:masters'] },
    } as unknown as UserAttribute,
  ],
]);
const plan = (tokens: readonly Token[]) =>
  planEndpoint({
    tokens,
    user: id => users.get(id),
    attribute: id => attributes.get(id),
    probeHash: 'probe',
    installUuid: 'install',
  });

test('a token goes with its hash, its end and its user’s groups', () => {
  const { tokens, hashes, users: owners } = plan([token('one', { expiresAt: '2030-01-01T00:00:00Z' })]);
  const [, made] = tokens;
  assert.deepEqual(
    [made!.metadata.name, made!.userName, made!.enabled, made!.expiresAt],
    ['one', 'u-1', true, '2030-01-01T00:00:00Z'],
  );
  assert.equal(Buffer.from(hashes[1]!.data['hash']!, 'base64').toString(), hash);
  assert.deepEqual(owners[1]!.groups, ['github_team://1']);
});

test('what is no hash of today’s kind, or of nobody, stays here', () => {
  const kept = plan([
    token('plain', { token: 'key' }),
    token('older', { token: '$1:00:15:8:1:x' }),
    token('nobodys', { userId: 'u-unknown' }),
    token('going', { metadata: { name: 'going', deletionTimestamp: '2026-01-01T00:00:00Z' } as never }),
  ]);
  assert.deepEqual(
    kept.tokens.map(({ metadata }) => metadata.name),
    [probeName],
  );
});

test('what is disabled is there as disabled, so that it ends at once', () => {
  const { tokens, users: owners } = plan([token('off', { enabled: false }), token('of-off', { userId: 'u-2' })]);
  assert.deepEqual(
    tokens.map(({ enabled }) => enabled),
    [true, true, false],
  );
  assert.equal(owners.find(({ metadata }) => metadata.name === 'u-2')!.enabled, false);
});

test('kube-api-auth may read the secrets of tokens, each by its name, and no others', () => {
  const objects = endpointObjects({ installUuid: 'install', image: 'agent:1', tokens: ['one', 'two'] });
  const role = objects.find(({ kind }) => kind === 'Role') as unknown as { rules: Record<string, string[]>[] };
  const secrets = role.rules.filter(rule => rule['resources']!.includes('secrets'));
  assert.deepEqual(secrets, [
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['one', 'two'], verbs: ['get'] },
  ]);
  assert.throws(() => endpointObjects({ installUuid: '', image: '', tokens: [] }), /names no secret/);
  assert.equal(
    endpointObjects({ installUuid: '', image: '', tokens: ['one'] }).some(({ kind }) => kind === 'DaemonSet'),
    false,
  );
});

const node = (name: string, more: object = {}, address = '192.0.2.7') =>
  ({
    metadata: { name: `m-${name}` },
    spec: { controlPlane: true, requestedHostname: name, ...more },
    status: { ipAddress: address },
  }) as unknown as ManagedNode;
const cluster = (endpoint: object | undefined) =>
  ({
    metadata: { name: 'c-1' },
    spec: { localClusterAuthEndpoint: endpoint },
    status: { caCert: Buffer.from('CA').toString('base64') },
  }) as unknown as Cluster;

test('a kubeconfig leads to each control-plane node, or to the name before all of them', () => {
  const nodes = [node('prod-one'), node('two', {}, '2001:db8::1'), node('worker', { controlPlane: false })];
  assert.deepEqual(directPlaces('prod', cluster({ enabled: true }), nodes), [
    { name: 'prod-one', server: 'https://192.0.2.7:6443', ca: 'CA' },
    { name: 'prod-two', server: 'https://[2001:db8::1]:6443', ca: 'CA' },
  ]);
  assert.deepEqual(directPlaces('prod', cluster({ enabled: true, fqdn: 'k.example.com' }), nodes), [
    { name: 'prod-fqdn', server: 'https://k.example.com', ca: 'CA' },
  ]);
  assert.deepEqual(directPlaces('prod', cluster({ enabled: false, fqdn: 'k.example.com' }), nodes), []);
  const place = { name: 'prod', server: 'https://drover.example.com/k8s/clusters/c-1', ca: '' };
  const text = proxyKubeconfig({ ...place, token: new Secret('name:key'), direct: [{ ...place, name: 'prod-fqdn' }] });
  assert.equal(text.match(/current-context: "prod"\n/g)!.length, 1);
  assert.equal(text.match(/user: "prod"\n/g)!.length, 2);
});
