/** Where a cookie signs in below a cluster's prefix: logs and commands of a pod by plain names, and nowhere else. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { isLookInside, requireReading } from './look-inside.ts';

const pod = '/k8s/clusters/c-abc/api/v1/namespaces/shop/pods/web-0';

test('logs and commands of a pod are looked into', () => {
  for (const path of [`${pod}/log`, `${pod}/exec`]) assert.ok(isLookInside(path), path);
});

for (const path of [
  pod,
  `${pod}/proxy/log`,
  `${pod}/proxy/exec`,
  `${pod}/log/`,
  `${pod}/attach`,
  `${pod}/portforward`,
  `${pod}%2Fproxy%2Fx/log`,
  `${pod}%2fproxy/log`,
  '/k8s/clusters/c-abc/api/v1/namespaces/shop%2Fpods%2Fweb-0%2Fproxy/pods/x/log',
  '/k8s/clusters/c-abc/api/v1/namespaces/shop/services/web/proxy/pods/a/log',
  '/k8s/clusters/c-abc/api/v1/proxy/namespaces/shop/pods/web-0/log',
  '/k8s/proxy/c-abc/api/v1/namespaces/shop/pods/web-0/log',
  `${pod}//log`,
  `${pod}/./log`,
])
  test(`${path.slice(19)} is closed to cookies`, () => assert.ok(!isLookInside(path)));

const asked = (method: string, path: string, headers: Record<string, string> = {}) => ({
  request: { method, headers } as unknown as IncomingMessage,
  path,
});

test('by a cookie logs are read, and nothing is sent', () => {
  requireReading(asked('GET', `${pod}/log`), { via: 'cookie' });
  assert.throws(() => requireReading(asked('POST', `${pod}/exec`), { via: 'cookie' }), /POST/);
  assert.throws(() => requireReading(asked('GET', `${pod}/exec`), { via: 'cookie' }), /GET/);
  const elsewhere = asked('GET', `${pod}/log`, { 'sec-fetch-site': 'cross-site' });
  assert.throws(() => requireReading(elsewhere, { via: 'cookie' }), /another site/);
  requireReading(asked('POST', `${pod}/exec`), { via: 'bearer' });
});
