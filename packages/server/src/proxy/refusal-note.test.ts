/** What is said beside a cluster's refusal: who may grant it, by name to those who may see the members, else in words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindInCluster, callerOf, openFixture, seedRoles } from '../auth/fixture.ts';
import { refusalNote, warning } from './refusal-note.ts';

test('members who may see the members are told names, all others who it is in words', async () => {
  await using fixture = await openFixture();
  const { resources, caches, auth } = fixture;
  await seedRoles(fixture);
  await resources.create('cluster', { metadata: { name: 'c-a' }, spec: {} });
  for (const [name, displayName] of [
    ['u-oli', 'Oli "Ö" Owner'],
    ['u-mia', 'Mia'],
    ['u-sam', 'Sam'],
  ] as const)
    await resources.create('user', { metadata: { name }, displayName, username: name });
  await bindInCluster(fixture, 'c-a', 'cluster-owner', 'u-oli');
  await bindInCluster(fixture, 'c-a', 'cluster-member', 'u-mia');
  const told = (user: string) => refusalNote({ caches, access: auth.access }, callerOf(user), 'c-a');
  const more = 'an owner of the project for what is in one; \\"drover can-i\\" tells more"';
  assert.deepEqual(told('u-mia'), ['Warning', `299 - "it may be granted by Oli \\"?\\" Owner, or ${more}`]);
  assert.match(told('u-sam')[1]!, /by an owner of the cluster, or of the project for what is in one;/);
});

test('a warning holds nothing that a header can’t', () => {
  assert.equal(warning('a "b" \\ c\r\nd…é'), '299 - "a \\"b\\" \\\\ c??d...?"');
});
