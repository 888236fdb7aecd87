/** From one EncryptionConfiguration to another: at no moment can an API server meet a Secret that it can't read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCluster } from '../config/index.ts';
import {
  type Encryption,
  encryptionText,
  nextEncryption,
  otherResources,
  plainDigest,
  planEncryption,
  writerDigest,
} from './encryption.ts';

const node = { address: '10.0.0.1', user: 'root', role: ['etcd', 'controlplane', 'worker'], ssh_key: 'k' };
async function specOf(config: object | undefined) {
  const services = { 'kube-api': { secrets_encryption_config: config } };
  return (await readCluster({ nodes: [node], services }, { dir: '.' })).spec;
}
const on = await specOf({ enabled: true });
const off = await specOf({ enabled: false });

/** All states from `state` to the end of the change. */
function course(state: Encryption): Encryption[] {
  const all = [state];
  while (all.at(-1)!.encryptionChange) all.push(nextEncryption(all.at(-1)!));
  return all;
}

interface Group {
  readonly resources: string[];
  readonly providers: Record<string, { keys?: { name: string; secret: string }[] }>[];
}
const groupsOf = (text: string | undefined): Group[] =>
  text === undefined ? [{ resources: ['secrets'], providers: [{ identity: {} }] }] : JSON.parse(text).resources;
const keysOf = (text: string | undefined): string[] =>
  groupsOf(text)[0]!.providers.flatMap(provider =>
    Object.entries(provider).flatMap(([kind, { keys }]) => keys?.map(({ secret }) => secret) ?? [kind]),
  );

/** Each may run beside the next for a while: what one writes, the other reads. */
function assertNobodyIsLost(texts: readonly (string | undefined)[]): void {
  for (const [index, text] of texts.slice(1).entries()) {
    const before = texts[index];
    assert.ok(keysOf(text).includes(keysOf(before)[0]!), `step ${index + 1} reads what step ${index} writes`);
    assert.ok(keysOf(before).includes(keysOf(text)[0]!), `step ${index} reads what step ${index + 1} writes`);
  }
}

const fresh = planEncryption(on, {}, { isNew: true });

test('a new cluster has its key from the start', () => {
  assert.equal(fresh.encryptionChange, undefined);
  assert.equal(keysOf(fresh.encryption).length, 2);
  assert.deepEqual(planEncryption(on, fresh), { encryption: fresh.encryption });
});

const changes: [string, () => Promise<Encryption> | Encryption][] = [
  ['switched on', () => planEncryption(on, {})],
  ['switched off', () => planEncryption(off, fresh)],
  ['with a new key', () => planEncryption(on, fresh, { rotate: true })],
  [
    'by a configuration of one’s own',
    async () =>
      planEncryption(
        await specOf({
          enabled: true,
          custom_config: {
            kind: 'EncryptionConfiguration',
            resources: [
              {
                resources: ['secrets', 'configmaps'],
                providers: [{ aesgcm: { keys: [{ name: 'k', secret: 'bXktb3du' }] } }, { identity: {} }],
              },
            ],
          },
        }),
        fresh,
      ),
  ],
];
for (const [what, plan] of changes) {
  test(`${what}: all can read before anybody writes, and what goes is the last`, async () => {
    const states = course(await plan());
    const texts = states.map(encryptionText);
    assert.ok(states.length >= 3);
    assertNobodyIsLost(texts);
    assert.equal(writerDigest(texts[0]), writerDigest((await plan()).encryption));
    assert.equal(writerDigest(texts.at(-1)), writerDigest(texts.at(-2)), 'written anew before the old key goes');
  });
}

test('an old key is gone in the end, a cluster without keys has none', async () => {
  const rotated = course(planEncryption(on, fresh, { rotate: true })).at(-1)!;
  assert.equal(keysOf(rotated.encryption).length, 2);
  assert.ok(!keysOf(rotated.encryption).includes(keysOf(fresh.encryption)[0]!));
  assert.equal(encryptionText(course(planEncryption(off, fresh)).at(-1)!), undefined);
  assert.equal(writerDigest(undefined), plainDigest);
});

test('what a person brings is his: no key is changed in it, and what else it is for is told', async () => {
  const custom = {
    kind: 'EncryptionConfiguration',
    resources: [{ resources: ['secrets', 'a.b'], providers: [{ identity: {} }] }],
  };
  const own = await specOf({ enabled: true, custom_config: custom });
  assert.throws(() => planEncryption(own, fresh, { rotate: true }), /custom_config: has the keys/);
  assert.throws(() => planEncryption(off, fresh, { rotate: true }), /enabled: is not true/);
  assert.deepEqual(otherResources(planEncryption(own, fresh).encryptionChange?.to), ['a.b']);
  await assert.rejects(
    specOf({ enabled: true, custom_config: { kind: 'Secret' } }),
    /custom_config: must be an Encryption/,
  );
});

test('a change that is under way is gone on with before another', () => {
  const under = planEncryption(on, fresh, { rotate: true });
  assert.deepEqual(planEncryption(off, under), under);
});
