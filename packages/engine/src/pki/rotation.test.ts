/** New authorities in three phases: in each, whoever is at the phase before or after is still believed. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { readCluster } from '../config/index.ts';
import { formatState, parseState } from '../config/state.ts';
import { publicKeyOf } from './certificate.ts';
import { authorities, type Certificates, completeCertificates, serviceAccountKey } from './cluster-certs.ts';
import {
  beginRotation,
  certificateEnds,
  endingAuthorities,
  keyId,
  nextPhase,
  type Rotation,
  splitCertificates,
  withTrusted,
} from './rotation.ts';

const node = {
  address: '10.0.0.1',
  user: 'root',
  hostname_override: 'a',
  role: ['etcd', 'controlplane'],
  ssh_key: 'k',
};
const { spec } = await readCluster({ cluster_name: 'prod', nodes: [node] }, { dir: '.' });

interface State {
  readonly certificates: Certificates;
  readonly rotation?: Rotation;
}

async function phases(): Promise<State[]> {
  const { certificates } = await completeCertificates(spec, {});
  const states: State[] = [{ certificates }, { certificates, rotation: await beginRotation() }];
  while (states.at(-1)!.rotation) {
    const next = nextPhase(states.at(-1)!);
    states.push({ ...next, ...(await completeCertificates(spec, next.certificates)) });
  }
  return states;
}

/** Whether all that this state issues is believed by who is at that one. */
function isBelieved(state: State, by: State): boolean {
  const trusted = withTrusted(by);
  return Object.entries(withTrusted(state)).every(([name, { cert, key }]) => {
    if (authorities.some(authority => authority === name)) return true;
    if (name === serviceAccountKey) {
      const accepted = `${publicKeyOf(trusted[name]!.key)}${trusted[name]!.cert}`;
      return accepted.includes(publicKeyOf(key));
    }
    const leaf = new X509Certificate(cert);
    return authorities.some(authority =>
      splitCertificates(trusted[authority]!.cert).some(pem => leaf.verify(new X509Certificate(pem).publicKey)),
    );
  });
}

test('neighbouring phases believe each other, both ways, and the first and the last do not', async () => {
  const states = await phases();
  assert.deepEqual(
    states.map(({ rotation }) => rotation?.phase),
    [undefined, 'trust', 'issue', 'drop', undefined],
  );
  for (const [index, state] of states.slice(1).entries()) {
    assert.ok(isBelieved(state, states[index]!), `phase ${index + 1} by the one before`);
    assert.ok(isBelieved(states[index]!, state), `phase ${index} by the one after`);
  }
  assert.ok(!isBelieved(states[0]!, states[3]!), 'the last phase drops the old ones');
  assert.ok(!isBelieved(states.at(-1)!, states[0]!));
  assert.ok(!isBelieved(states[0]!, states.at(-1)!));
});

test('while both are trusted, the one that signs stands first, and its leaves alone are issued', async () => {
  const [, trust, issue] = await phases();
  for (const { certificates, rotation } of [trust!, issue!]) {
    const [first, second] = splitCertificates(withTrusted({ certificates, rotation })['kube-ca']!.cert);
    assert.equal(first, certificates['kube-ca']!.cert);
    assert.equal(second, rotation!.others['kube-ca']!.cert);
    const apiserver = new X509Certificate(certificates['kube-apiserver']!.cert);
    assert.ok(apiserver.verify(new X509Certificate(first!).publicKey));
  }
});

test('a state keeps a rotation that is under way, in a file as in memory', async () => {
  const [, , issue] = await phases();
  const kept = {
    ...issue!,
    etcdFormed: true,
    nodes: spec.nodes,
    hostKeys: {},
    encryptionChange: { phase: 'read' },
  } as const;
  const read = parseState(formatState(spec, kept), spec, 'x');
  assert.equal(read.rotation?.phase, 'issue');
  assert.equal(keyId(read.rotation.others[serviceAccountKey]!), keyId(issue!.rotation!.others[serviceAccountKey]!));
  assert.deepEqual(read.encryptionChange, { phase: 'read', to: undefined });
  assert.deepEqual(withTrusted(read)['kube-etcd-ca']?.cert, withTrusted(issue!)['kube-etcd-ca']?.cert);
});

test('when certificates end can be asked, of those that do', async () => {
  const [{ certificates } = { certificates: {} }] = await phases();
  const ends = certificateEnds(certificates);
  assert.equal(ends[serviceAccountKey], undefined);
  assert.match(ends['kube-apiserver'] ?? '', /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(endingAuthorities(certificates), []);
  const inNineYears = new Date(Date.now() + 9.5 * 365 * 86_400_000);
  assert.match(endingAuthorities(certificates, inNineYears)[0] ?? '', /^kube-ca ends \d{4}-\d\d-\d\d: exchange it/);
});
