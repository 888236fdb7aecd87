/** Offers by a cluster's own roles: each by its group and place, and nobody waits for a cluster that says nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiView } from '../api/behaviour.ts';
import type { Rights } from '../steve/rbac.ts';
import { isOffered, rightsIn } from './live-rights.ts';

test('an answer waits a moment for rights, and the next ones do not', async () => {
  const silent = () => ({ rights: () => new Promise<Rights>(() => undefined) });
  const took = async () => {
    const began = performance.now();
    assert.equal(await rightsIn('c-silent', silent), undefined);
    return performance.now() - began;
  };
  assert.ok((await took()) >= 900);
  assert.ok((await took()) < 500);
  const known: Rights = { reach: () => 'all', may: () => false, mayAny: () => false };
  assert.equal(await rightsIn('c-silent', () => ({ rights: async () => known })), known, 'who answers is heard');
  const away = () => {
    throw new Error('the cluster is away');
  };
  assert.equal(await rightsIn('c-away', away), undefined);
});

test('what is asked of the roles is the place once, and then the very object', () => {
  const asked: unknown[] = [];
  const inCluster: ApiView['inCluster'] = {
    may(verb, { group, resource }, { namespace, name } = {}) {
      asked.push([verb, group, resource, namespace, name]);
      return name === 'web' || resource === 'persistentvolumes';
    },
  };
  const deployments = { apiVersion: 'apps/v1', resource: 'deployments', namespaced: true };
  const volumes = { apiVersion: 'v1', resource: 'persistentvolumes', namespaced: false };
  const update = (name: string, view: ApiView = { inCluster } as ApiView) =>
    isOffered(view, deployments, 'update', { id: `deployment:shop:${name}`, name, namespaceId: 'shop' });
  assert.deepEqual([update('web'), update('other')], [true, false]);
  assert.equal(isOffered({ inCluster } as ApiView, volumes, 'delete', { id: 'disk', name: 'disk' }), true);
  assert.deepEqual(asked, [
    ['update', 'apps', 'deployments', 'shop', undefined],
    ['update', 'apps', 'deployments', 'shop', 'web'],
    ['update', 'apps', 'deployments', 'shop', 'other'],
    ['delete', '', 'persistentvolumes', undefined, undefined],
  ]);
  assert.equal(update('other', {} as ApiView), true, 'where nobody can tell');
});
