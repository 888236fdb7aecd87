/**
 * The published Go client of the API, which command lines, Terraform and scripts are made of, against a real server with a
 * real cluster behind it: each of its steps is a test. Its typed structs refuse what is not of the type they know.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '@drover/base';
import { startServer } from '../server-process.ts';
import { goClient } from './go-client.ts';
import { missingApiServer, startApiServer } from './kube-apiserver.ts';

/** What the client says it does; a step that it never comes to is one that failed. */
const steps = [
  'connect to the base URL',
  'read and change settings',
  'make, find, change, replace and delete a cluster',
  'walk through pages',
  'get a kubeconfig',
  'search principals through the collection of a filter that finds none',
  'list roles by flag and context',
  'make a user, set his password, bind and unbind him',
  'make and delete a token',
  'get the command that registers a cluster',
  'branch on refusals',
  'make a project',
  'connect to the cluster and the project',
  'make a namespace, move it out of the project and back',
  'list the classes of storage and the volumes',
  'make, scale, pause, resume, redeploy and delete a workload',
  'make, change and delete config maps and secrets',
  'make, change and delete a service',
  'delete the namespace',
];

test('the published Go client works unmodified', { skip: missingApiServer() ?? false }, async t => {
  const client = await goClient();
  if ('missing' in client) return t.skip(client.missing);
  await using cluster = await startApiServer();
  await using server = await startServer({
    args: ['--cluster', 'context:test'],
    env: { KUBECONFIG: cluster.kubeconfigPath },
  });
  const admin = await server.login();
  const id = await until(
    'the cluster to be active, with rights in it',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
      if (data[0]?.state !== 'active') return undefined;
      const { status } = await server.fetch('GET', `/k8s/clusters/${data[0].id}/api/v1/nodes`, { token: admin });
      return status === 200 ? (data[0].id as string) : undefined;
    },
    { timeoutMs: 120_000 },
  );
  const folder = await mkdtemp(join(tmpdir(), 'drover-go-'));
  try {
    const ca = join(folder, 'ca.pem');
    await writeFile(ca, server.ca);
    const child = spawn(client.path, ['-url', server.url, '-ca', ca, '-cluster', id], {
      env: { ...process.env, CLIENT_TOKEN: admin },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    child.stdout.on('data', chunk => said.push(String(chunk)));
    child.stderr.on('data', chunk => said.push(String(chunk)));
    const [code] = await once(child, 'close');
    const lines = said.join('').split('\n').filter(Boolean);
    for (const step of steps) {
      await t.test(step, () => {
        const line = lines.find(one => one === `ok ${step}` || one.startsWith(`FAILED ${step}`));
        assert.equal(line ?? lines.join('\n'), `ok ${step}`);
      });
    }
    assert.deepEqual(
      lines.map(line => line.replace(/^(ok|FAILED) /, '')),
      steps,
    );
    assert.equal(code, 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
