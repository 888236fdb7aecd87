/** Makers of clusters and projects get their roles once, and nobody gets any for what nobody made. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { creatorAnnotation } from '@drover/api';
import { silentLog, until } from '@drover/base';
import { FieldCipher, newSecretsKey, openSqliteStore } from '@drover/store';
import { createCaches, Resources, startCaches, startController } from '../resources/index.ts';
import { clusterCreator, projectCreator } from './creator-bindings.ts';

test('the maker of a cluster owns it, the maker of a project owns that, once', async () => {
  await using store = await openSqliteStore({ path: ':memory:' });
  const resources = new Resources(store, new FieldCipher([newSecretsKey()]));
  const caches = createCaches(resources, silentLog);
  const stop = new AbortController();
  await startCaches(caches, stop.signal);
  const flags = { locked: false, clusterCreatorDefault: false, projectCreatorDefault: false };
  const role = (name: string, more: object) =>
    resources.create('roleTemplate', { metadata: { name }, displayName: name, ...flags, ...more } as never);
  await role('cluster-owner', { context: 'cluster', clusterCreatorDefault: true });
  await role('retired', { context: 'cluster', clusterCreatorDefault: true, locked: true });
  await role('project-owner', { context: 'project', projectCreatorDefault: true });
  await resources.create('user', { metadata: { name: 'u-maker' }, username: 'maker' } as never);
  const context = { resources, caches, log: silentLog, signal: stop.signal };
  startController(clusterCreator, context);
  startController(projectCreator, context);
  const by = (user: string, more: object = {}) => ({ annotations: { [creatorAnnotation]: user, ...more } });
  const cluster = (name: string, metadata: object) =>
    resources.create('cluster', { metadata: { name, ...metadata }, spec: { displayName: name } });
  await cluster('c-mine', by('u-maker'));
  await cluster('c-nobodys', {});
  await cluster('c-gone', by('u-gone'));
  await cluster('c-plain', by('u-maker', { 'field.cattle.io/no-creator-rbac': 'true' }));
  await resources.create('project', {
    metadata: { name: 'p-mine', namespace: 'c-mine', ...by('u-maker') },
    spec: { displayName: 'p', clusterName: 'c-mine' },
  } as never);
  const madeOwner = () =>
    caches.cluster
      .get('c-mine')
      ?.status?.conditions?.some(({ type, status }) => type === 'CreatorMadeOwner' && status === 'True');
  await until('the owner of the cluster', madeOwner);
  await until('the owner of the project', () => caches.projectRoleTemplateBinding.size === 1);
  const [crtb, ...others] = [...caches.clusterRoleTemplateBinding.all()];
  assert.deepEqual(
    [crtb?.metadata.namespace, crtb?.metadata.name, crtb?.roleTemplateName, crtb?.userName, others.length],
    ['c-mine', 'creator-cluster-owner', 'cluster-owner', 'u-maker', 0],
  );
  const [prtb] = [...caches.projectRoleTemplateBinding.all()];
  assert.deepEqual(
    [prtb?.metadata.namespace, prtb?.metadata.name, prtb?.projectName, prtb?.userName],
    ['c-mine-p-mine', 'creator-project-owner', 'c-mine:p-mine', 'u-maker'],
  );
  await resources.delete('clusterRoleTemplateBinding', { name: 'creator-cluster-owner', namespace: 'c-mine' });
  await resources.modify('cluster', { name: 'c-mine' }, seen => ({
    ...seen,
    spec: { ...seen.spec, description: 'x' },
  }));
  await until('a look at the cluster', () => caches.cluster.get('c-mine')?.spec?.description === 'x');
  await until('the binding to be gone', () => caches.clusterRoleTemplateBinding.size === 0);
  assert.equal(caches.clusterRoleTemplateBinding.size, 0, 'what was taken away stays away');
  stop.abort();
});
