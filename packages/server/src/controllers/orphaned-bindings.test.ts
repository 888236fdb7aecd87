/** Bindings of what is not there go, whichever of it is missing, and whenever it went; all others stay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog, until } from '@drover/base';
import { openFixture, seedRoles } from '../auth/fixture.ts';
import { startController } from '../resources/index.ts';
import { indexNeeded, orphanedBindings } from './orphaned-bindings.ts';

async function open() {
  const fixture = await openFixture();
  const { resources, caches, signal } = fixture;
  await seedRoles(fixture);
  for (const name of ['c-a', 'c-b']) await resources.create('cluster', { metadata: { name }, spec: {} });
  for (const name of ['p-a', 'p-b'])
    await resources.create('project', { metadata: { name, namespace: 'c-a' }, spec: { clusterName: 'c-a' } } as never);
  for (const name of ['u-mia', 'u-tom']) await resources.create('user', { metadata: { name }, username: name });
  for (const name of ['r-a', 'r-b'])
    await resources.create('roleTemplate', {
      metadata: { name },
      displayName: name,
      clusterCreatorDefault: false,
      projectCreatorDefault: false,
    });
  const inCluster = (name: string, clusterName: string, roleTemplateName: string, subject: object) =>
    resources.create('clusterRoleTemplateBinding', {
      metadata: { name, namespace: clusterName },
      clusterName,
      roleTemplateName,
      ...subject,
    });
  const inProject = (name: string, projectName: string, roleTemplateName: string) =>
    resources.create('projectRoleTemplateBinding', {
      metadata: { name, namespace: projectName.replace(':', '-') },
      projectName,
      roleTemplateName,
      userName: 'u-mia',
    });
  const globally = (name: string, globalRoleName: string, userName: string) =>
    resources.create('globalRoleBinding', { metadata: { name }, globalRoleName, userName });
  const left = () =>
    [caches.globalRoleBinding, caches.clusterRoleTemplateBinding, caches.projectRoleTemplateBinding]
      .flatMap(cache => [...cache.all()].map(({ metadata }) => metadata.name))
      .sort();
  const start = () => {
    indexNeeded(caches);
    for (const sweep of orphanedBindings) startController(sweep, { resources, caches, log: silentLog, signal });
  };
  return { fixture, resources, inCluster, inProject, globally, left, start };
}

const mia = { userName: 'u-mia' };

test('T21: what was left behind before the start is found', async () => {
  const { fixture, inCluster, inProject, globally, left, start } = await open();
  await using _ = fixture;
  await inCluster('stays', 'c-a', 'r-a', mia);
  await inCluster('stays-group', 'c-a', 'r-a', { groupPrincipalName: 'openldap_group://whoever' });
  await globally('stays-global', 'user', 'u-mia');
  await inProject('stays-project', 'c-a:p-a', 'r-a');
  await inCluster('no-role', 'c-a', 'r-none', mia);
  await inCluster('no-user', 'c-a', 'r-a', { userName: 'u-none' });
  await inCluster('no-cluster', 'c-none', 'r-a', mia);
  await inProject('no-project', 'c-a:p-none', 'r-a');
  await globally('no-global', 'none', 'u-mia');
  start();
  await until('only what is of something is left', () => left().length === 4 || undefined);
  assert.deepEqual(left(), ['stays', 'stays-global', 'stays-group', 'stays-project']);
});

test('T21, T22: what goes takes its bindings along', async () => {
  const { fixture, resources, inCluster, inProject, globally, left, start } = await open();
  await using _ = fixture;
  start();
  await inCluster('of-role', 'c-a', 'r-a', mia);
  await inCluster('of-other', 'c-a', 'r-b', mia);
  await inProject('of-project', 'c-a:p-a', 'r-b');
  await inProject('of-project-b', 'c-a:p-b', 'r-b');
  await globally('of-user', 'user', 'u-tom');
  await inCluster('of-cluster', 'c-b', 'r-b', mia);
  const gone = async (what: string, then: readonly string[]) => {
    await until(`${what} to be without bindings`, () => left().join() === then.join() || undefined);
  };
  await resources.delete('roleTemplate', { name: 'r-a' });
  await gone('the role', ['of-cluster', 'of-other', 'of-project', 'of-project-b', 'of-user']);
  await resources.delete('project', { name: 'p-a', namespace: 'c-a' });
  await gone('the project', ['of-cluster', 'of-other', 'of-project-b', 'of-user']);
  await resources.delete('user', { name: 'u-tom' });
  await gone('the user', ['of-cluster', 'of-other', 'of-project-b']);
  await resources.delete('cluster', { name: 'c-b' });
  await gone('the cluster', ['of-other', 'of-project-b']);
});
