/** Which host it is that dials in: known by a key that it has to have, taken in by a token once, refused with the reason. */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { FieldCipher, newSecretsKey, openSqliteStore } from '@drover/store';
import { openTestApi, type TestApi } from '../api/fixture.ts';
import { indexRegistrationTokens, tokenSecretName } from '../clusters/registration-token.ts';
import { HostAdmission, hostFinalizer } from './host-admission.ts';
import type { HostParams } from './params.ts';
import { openServerIdentity, type ServerIdentity } from './server-identity.ts';

let api: TestApi;
let hosts: HostAdmission;
let identity: ServerIdentity;
let clusterId: string;
const token = 'a-registration-token-of-the-cluster';
const serverUrl = 'https://drover.example.com';

before(async () => {
  api = await openTestApi();
  identity = await openServerIdentity(await openSqliteStore({ path: ':memory:' }), new FieldCipher([newSecretsKey()]));
  indexRegistrationTokens(api.caches);
  hosts = new HostAdmission({ resources: api.resources, caches: api.caches, identity });
  const make = async (body: object, secret: string): Promise<string> => {
    const { id } = await api.want(201, 'POST', '/v3/clusters', { body });
    const metadata = { name: tokenSecretName('default-token'), namespace: id };
    await api.resources.create('secret', { metadata, stringData: { token: secret } });
    return id;
  };
  clusterId = await make({ name: 'hosts', rancherKubernetesEngineConfig: {} }, token);
  await make({ name: 'imported' }, 'a-token-of-another-cluster');
});
after(() => api[Symbol.asyncDispose]());

let machines = 0;

function hostOf(
  name: string,
  more: Partial<HostParams> & { readonly signedBy?: KeyObject } = {},
): HostParams & { key: KeyObject } {
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const challenge = more.challenge ?? identity.challenge();
  const address = `192.0.2.${++machines}`;
  return {
    key,
    kind: 'host',
    version: 'v0.1.0',
    name,
    address,
    internalAddress: address,
    roles: ['worker'],
    labels: {},
    taints: [],
    machineId: String(machines).padStart(32, '0'),
    publicKey: createPublicKey(key).export({ format: 'jwk' }).x!,
    challenge,
    proof: sign(null, Buffer.from(`drover host\n${challenge}`), more.signedBy ?? key).toString('base64url'),
    ...more,
  };
}

const admit = (params: HostParams, shown: string | undefined = token) =>
  hosts.admit(params, { token: shown, now: Date.now(), serverUrl });

const later = (params: HostParams & { key: KeyObject }): HostParams => {
  const challenge = identity.challenge();
  const proof = sign(null, Buffer.from(`drover host\n${challenge}`), params.key).toString('base64url');
  return { ...params, challenge, proof };
};

test('a host is taken in by its token, and is known without one from then on', async () => {
  const first = hostOf('first');
  assert.deepEqual(await admit(first), { clusterId, nodeName: 'first' });
  const node = await until('the node', () => [...api.caches.node.all()][0]);
  assert.deepEqual([node.metadata.finalizers, node.spec?.worker], [[hostFinalizer], true]);
  assert.deepEqual(await hosts.admit(later(first), { now: Date.now(), serverUrl }), { clusterId, nodeName: 'first' });
  await assert.rejects(
    hosts.admit(later({ ...first, machineId: 'f'.repeat(32) }), { now: Date.now(), serverUrl }),
    /is a copy of first/,
  );
});

test('who names the key of another without having it is nobody', async () => {
  const known = hostOf('known');
  await admit(known);
  await until('it to be known', () =>
    [...api.caches.node.all()].some(({ spec }) => spec?.requestedHostname === 'known'),
  );
  const thief = hostOf('known', { publicKey: known.publicKey, machineId: known.machineId });
  await assert.rejects(admit(thief), /did not prove that it has the key/);
});

test('a proof is for a challenge of this server, and for a minute', async () => {
  const old = hostOf('old', { challenge: identity.challenge(Date.now() - 120_000) });
  await assert.rejects(admit(old), /did not prove/);
  const made = hostOf('made-up', { challenge: `${Date.now()}.${'a'.repeat(22)}.${'a'.repeat(86)}` });
  await assert.rejects(admit(made), /did not prove/);
});

test('a host that nobody knows needs a token of a cluster that is made of hosts', async () => {
  await assert.rejects(hosts.admit(hostOf('a'), { now: Date.now(), serverUrl }), /no node of any cluster any more/);
  await assert.rejects(admit(hostOf('b'), 'no-token-of-anybody-here'), /the token is not known/);
  await assert.rejects(admit(hostOf('c'), 'a-token-of-another-cluster'), /"imported" was imported/);
});

test('no host takes the place of another: not its name, its address or its machine-id', async () => {
  const there = hostOf('there');
  await admit(there);
  await until('it to be known', () =>
    [...api.caches.node.all()].some(({ spec }) => spec?.requestedHostname === 'there'),
  );
  await assert.rejects(admit(hostOf('there')), /is a node of cluster "hosts" already, and this host is another one/);
  await assert.rejects(
    admit(hostOf('d', { address: there.address })),
    /is the address of there in cluster "hosts" already/,
  );
  await assert.rejects(admit(hostOf('e', { internalAddress: there.address })), /behind --internal-address/);
  await assert.rejects(admit(hostOf('f', { machineId: there.machineId })), /is there of this cluster already/);
});
