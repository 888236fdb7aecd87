/**
 * The test cluster itself, before anything of ours runs on it: two real nodes are Ready, pods run, services answer, and logs,
 * exec and port-forward work through the kube-apiserver. When this fails, no other end-to-end test means anything.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { startTestCluster, type TestCluster, testClusterSkipReason } from './node/index.ts';
import { container, webDeployment, webService } from './node/workload.ts';

let cluster: TestCluster | undefined;
let skip: string | undefined;

before(async () => {
  skip = await testClusterSkipReason();
  if (skip === undefined) cluster = await startTestCluster({ nodes: 2 });
});
after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

// wget's own -T crashes in Debian's static build.
const wget = ['timeout', '5', 'wget', '-q', '-O', '-'];
const pod = (name: string, nodeName: string, args: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { ...container(args), nodeName },
});
const shell = pod('shell', 'node-1', 'exec sleep 100000');
const far = pod('far', 'node-2', 'echo far >index.html; exec httpd -f -p 8080');

test('a deployment of the test image runs on the node', async t => {
  if (skip !== undefined || !cluster) return t.skip(skip);
  const path = join(tmpdir(), `drover-node-test-${process.pid}.json`);
  await writeFile(
    path,
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [webDeployment(2), webService, shell, far] }),
  );
  await cluster.runKubectl(['apply', '-f', path]).finally(() => rm(path));
  await cluster.runKubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
  await cluster.runKubectl(['wait', '--for=condition=Ready', 'pod/shell', 'pod/far', '--timeout=60s']);
});

test('a pod reaches a service by its cluster address, itself behind it too', async t => {
  if (skip !== undefined || !cluster) return t.skip(skip);
  const { runKubectl } = cluster;
  const address = await runKubectl(['get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}']);
  const fetched = await until(
    'the service to answer',
    () => runKubectl(['exec', 'shell', '--', ...wget, `http://${address}`]),
    { timeoutMs: 20_000, everyMs: 200 },
  );
  assert.equal(fetched, 'hello\n');
  const replica = (await runKubectl(['get', 'pods', '-l', 'app=web', '-o', 'name'])).split('\n')[0]!;
  for (let i = 0; i < 4; i++) {
    assert.equal(await runKubectl(['exec', replica, '--', ...wget, `http://${address}`]), 'hello\n');
  }
});

test('pods of two nodes reach each other', async t => {
  if (skip !== undefined || !cluster) return t.skip(skip);
  const { runKubectl } = cluster;
  const address = await runKubectl(['get', 'pod', 'far', '-o', 'jsonpath={.status.podIP}']);
  assert.equal(await runKubectl(['exec', 'shell', '--', ...wget, `http://${address}:8080/`]), 'far\n');
});

test('logs, exec with its exit code and port-forward work through the kube-apiserver', async t => {
  if (skip !== undefined || !cluster) return t.skip(skip);
  const { runKubectl, kubectlPath, kubeconfigPath } = cluster;
  assert.equal(await runKubectl(['logs', 'deployment/web']), 'serving\n');
  await assert.rejects(runKubectl(['exec', 'shell', '--', 'sh', '-c', 'exit 7']), /exit code 7/);

  const forward = spawn(kubectlPath, ['--kubeconfig', kubeconfigPath, 'port-forward', 'deployment/web', ':8080'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let said = '';
    forward.stdout.on('data', chunk => {
      said += chunk;
    });
    const port = await until('port-forward', () => /127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
    const body = await new Promise<string>((resolve, reject) => {
      get(`http://127.0.0.1:${port}/`, response => {
        let text = '';
        response.on('data', chunk => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      }).on('error', reject);
    });
    assert.equal(body, 'hello\n');
  } finally {
    forward.kill();
  }
});

test('a pod reaches a server of the test at the host address, and nothing beyond', async t => {
  if (skip !== undefined || !cluster) return t.skip(skip);
  const { runKubectl, hostAddress } = cluster;
  const server = createServer((_request, response) => response.end('from the host'));
  await new Promise<void>(resolve => server.listen(0, hostAddress, resolve));
  try {
    const { port } = server.address() as { port: number };
    const fetch = (url: string) => runKubectl(['exec', 'shell', '--', ...wget, url]);
    assert.equal(await fetch(`http://${hostAddress}:${port}/`), 'from the host');
    await assert.rejects(fetch('http://192.0.2.1/'), /exit code (1|143)/);
  } finally {
    server.close();
  }
});
