/** Which paths lead to a command in a pod, however they are written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forbidden } from '@drover/base';
import { isPodShell } from './pod-shell.ts';
import { proxyRoutes } from './route.ts';

const pod = '/api/v1/namespaces/shop/pods/web';
for (const [path, leads] of [
  [`${pod}/exec`, true],
  [`${pod}/%65xec`, true],
  ['/api/v1/namespaces/shop/pod%73/web%2Fexec', true],
  [`${pod}//exec/`, true],
  [`${pod}/attach`, true],
  ['/api/v1/nodes/n1/proxy/exec/shop/web/c', true],
  ['/api/v1/nodes/https:n1:10250/proxy/run/shop/web/c', true],
  [`${pod}/log`, false],
  [`${pod}/portforward`, false],
  ['/api/v1/namespaces/exec/pods/attach', false],
  ['/api/v1/nodes/n1/proxy/logs/', false],
  [`${pod}/%zz`, false],
] as const) {
  test(`${path}: ${leads}`, () => assert.equal(isPodShell(path), leads));
}

test('while the feature is off the proxy sends no such request on, by either of its doors', async () => {
  const reached: string[] = [];
  const deps = {
    access: { mayReach: () => true, isHeldBack: () => false },
    checkOrigin: () => undefined,
    resolveIdentity: (caller: object) => caller,
    requirePodShell: () => {
      throw forbidden('pod-shell feature is disabled');
    },
    targets: {
      get: (id: string) => {
        reached.push(id);
        throw forbidden('reached');
      },
    },
  };
  const request = { rawHeaders: [], headers: {}, method: 'GET' };
  const ask = (path: string) => ({ request, path, search: '' }) as never;
  const caller = { userId: 'u-1', groups: [], extra: {}, via: 'bearer' } as never;
  const whole = `/k8s/clusters/c-1${pod}`;
  for (const route of proxyRoutes(deps as never).filter(({ prefix }) => whole.startsWith(prefix))) {
    if (route.takes?.(whole) !== false) await assert.rejects(route.handle(ask(`${whole}/exec`), caller), /pod-shell/);
    await assert.rejects(route.upgrade!(ask(`${whole}/exec`), caller), /pod-shell/);
    await assert.rejects(route.upgrade!(ask(`${whole}/portforward`), caller), /reached/);
  }
  assert.deepEqual([...new Set(reached)], ['c-1']);
});
