/** Who is moved or renamed in a directory is the same user here, and who stands where he stood is another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFixture, seedRoles } from '../auth/fixture.ts';
import type { ProviderConfig } from './configured-provider.ts';
import { admitIdentity } from './external-users.ts';
import type { Identity } from './identity.ts';

const provider = 'openldap';
const principal = (uid: string) => `${provider}_user://uid=${uid},dc=test`;
const identity = (uid: string, lasting?: string): Identity => ({
  user: { id: principal(uid), displayName: uid, loginName: uid, principalType: 'user', provider },
  groups: [],
  ...(lasting ? { lasting } : {}),
});

async function open(accessMode: ProviderConfig['accessMode'], ...allowedPrincipalIds: string[]) {
  const fixture = await openFixture();
  await seedRoles(fixture);
  const { resources, deps, caches } = fixture;
  await resources.create('cluster', { metadata: { name: 'c-a' }, spec: {} });
  const config = { name: provider, enabled: true, accessMode, allowedPrincipalIds, fields: {}, annotations: {} };
  await resources.create('authConfig', { metadata: { name: provider }, configType: 'openLdapConfig', ...config });
  await resources.create('clusterRoleTemplateBinding', {
    metadata: { name: 'crtb-eve', namespace: 'c-a' },
    clusterName: 'c-a',
    roleTemplateName: 'cluster-member',
    userPrincipalName: principal('eve'),
  });
  const comes = async (uid: string, lasting?: string): Promise<string> =>
    (await admitIdentity(deps, config, identity(uid, lasting))).metadata.name;
  const bound = () => {
    const { userName, userPrincipalName } = caches.clusterRoleTemplateBinding.get('crtb-eve', 'c-a')!;
    return { userName, userPrincipalName };
  };
  const principalsOf = (id: string) => caches.user.get(id)?.principalIds?.slice(1);
  const allowed = () => caches.authConfig.get(provider)?.allowedPrincipalIds;
  return Object.assign(fixture, { comes, bound, principalsOf, allowed });
}

test('who is moved keeps what was given to him by his place, and may still come in', async () => {
  await using here = await open('required', principal('eve'));
  const eve = await here.comes('eve', '1');
  assert.equal(await here.comes('eva', '1'), eve);
  assert.deepEqual(here.principalsOf(eve), [principal('eva')]);
  assert.deepEqual(here.bound(), { userName: undefined, userPrincipalName: principal('eva') });
  assert.deepEqual(here.allowed(), [principal('eva')]);
  await assert.rejects(here.comes('eve', '2'), { status: 403 }, 'his old place lets nobody in');
});

test('who comes into the place of another is somebody new, and has nothing of his', async () => {
  await using here = await open('unrestricted', principal('eve'));
  const eve = await here.comes('eve', '1');
  const other = await here.comes('eve', '2');
  assert.notEqual(other, eve);
  assert.deepEqual([here.principalsOf(eve), here.principalsOf(other)], [[], [principal('eve')]]);
  assert.deepEqual(here.bound(), { userName: eve, userPrincipalName: undefined });
  assert.deepEqual(here.allowed(), [`local://${eve}`]);
  assert.equal(await here.comes('evita', '1'), eve);
  assert.deepEqual(here.principalsOf(eve), [principal('evita')]);
  const third = await here.comes('eve', '3');
  assert.equal(new Set([eve, other, third]).size, 3);
  // Two who change places.
  assert.equal(await here.comes('eve', '1'), eve);
  assert.equal(await here.comes('evita', '3'), third);
  assert.deepEqual([here.principalsOf(eve), here.principalsOf(third)], [[principal('eve')], [principal('evita')]]);
});

test('who was here before anything was noted of him is known by his place, and so is everybody where nothing is told', async () => {
  await using here = await open('unrestricted');
  const eve = await here.comes('eve');
  assert.equal(await here.comes('eve', '1'), eve);
  assert.equal(await here.comes('eve'), eve);
  assert.equal(await here.comes('eva', '1'), eve, 'noted when he came');
});
