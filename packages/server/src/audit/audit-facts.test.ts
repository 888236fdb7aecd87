/** What a line is about: verbs, resources and places from the addresses that the server has, and how it ended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuditLine, factsOf, parseLine } from './audit-facts.ts';

const line = (method: string, requestURI: string, more: Partial<AuditLine> = {}): AuditLine => ({
  auditID: 'a',
  stage: 'ResponseComplete',
  requestURI,
  method,
  responseCode: 200,
  requestTimestamp: '2026-01-01T00:00:00Z',
  responseTimestamp: '2026-01-01T00:00:00Z',
  ...more,
});

for (const [given, expected] of [
  [line('GET', '/v3/users?limit=5'), 'list users'],
  [line('POST', '/v3/clusters'), 'create clusters'],
  [line('DELETE', '/v3/users/u-1'), 'delete users u-1'],
  [line('POST', '/v3/clusters/c-1?action=generateKubeconfig'), 'generateKubeconfig clusters c-1'],
  [
    line('POST', '/v3-public/localProviders/local?action=login', { responseCode: 401 }),
    'login localproviders local refused',
  ],
  [line('PUT', '/v3/project/c-1:p-1/workloads/deployment:shop:web'), 'update workloads deployment:shop:web in c-1'],
  [line('GET', '/k8s/clusters/c-1/api/v1/namespaces/shop/pods/web/log?follow=true'), 'watch pods/log shop/web in c-1'],
  [line('GET', '/k8s/clusters/c-1/apis/apps/v1/deployments?watch=1'), 'watch deployments in c-1'],
  [line('GET', '/k8s/clusters/c-1/api/v1/namespaces/shop'), 'get namespaces shop in c-1'],
  [line('PATCH', '/k8s/clusters/c-1/v1/apps.deployments/shop/web'), 'patch apps.deployments shop/web in c-1'],
  [
    line('GET', '/k8s/clusters/c-1/api/v1/namespaces/shop/pods/web/exec', { upgrade: 'websocket', responseCode: 101 }),
    'connect pods/exec shop/web in c-1',
  ],
  [
    line('GET', '/v3/clusters/c-1?shell=true&command=/bin/sh', { upgrade: 'websocket', responseCode: 101 }),
    'connect clusters/shell c-1 in c-1',
  ],
  [
    line('GET', '/v1-terminals?clusterId=c-1&shell=true', { upgrade: 'websocket', responseCode: 101 }),
    'connect clusters/shell c-1 in c-1',
  ],
  [
    line('GET', '/v3/connect', { cluster: 'c-1', upgrade: 'websocket', responseCode: 503 }),
    'connect connect in c-1 failed',
  ],
  [line('GET', '/v3/users', { brokenOff: true }), 'list users failed'],
  [line('GET', '/%zz'), 'list %zz'],
] as const) {
  test(`${given.method} ${given.requestURI}: ${expected}`, () => {
    const { verb, resource, namespace, name, cluster, outcome } = factsOf(given);
    const whole = [verb, resource, [namespace, name].filter(Boolean).join('/'), cluster && `in ${cluster}`];
    assert.equal([...whole, outcome === 'done' ? '' : outcome].filter(Boolean).join(' '), expected);
  });
}

test('what is no line is none', () => {
  for (const text of ['', 'null', '{"auditID":1}', '{"stage":"RecordsDropped","dropped":12}', 'half{'])
    assert.equal(parseLine(text), undefined);
});
