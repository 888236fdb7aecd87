/**
 * The spine, end to end: an imported cluster with a real node, reached by a member with the real kubectl through server,
 * tunnel and agent; a stranger who is not; an agent that dies and comes back.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { KubeClient, loadKubeconfig, pods, toConnection, WatchCache } from '@drover/kube';
import { kubectl, type Running, runKubectl, startKubectl } from './kubectl.ts';
import { requireShells } from './kubectl-shell.ts';
import { busyboxImage, testClusterSkipReason } from './node/index.ts';
import { give, requireCut } from './open-ways.ts';
import { type Spine, startSpine } from './spine.ts';

let it: Spine;
let skip: string | undefined;
let member: Awaited<ReturnType<Spine['member']>>;

before(async () => {
  skip = await testClusterSkipReason();
  if (skip) return;
  it = await startSpine();
  member = await it.member('mia', 'cluster-owner');
});
after(async () => {
  await it?.[Symbol.asyncDispose]();
});

const asMember = (args: readonly string[], options: { input?: string | Buffer; timeoutMs?: number } = {}) =>
  kubectl(args, { kubeconfig: member.kubeconfig, ...options });

const shellPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'shell', labels: { app: 'shell' } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'main',
        image: busyboxImage,
        imagePullPolicy: 'Never',
        stdin: true,
        command: ['sh', '-c', 'mkdir -p /www; echo hello > /www/index.html; httpd -p 8080 -h /www; echo started; cat'],
      },
    ],
  },
};

test('the imported cluster is active, with its node and what it can carry', async t => {
  if (skip) return t.skip(skip);
  t.diagnostic(`import manifest applied to Active: ${Math.round(it.importMs)} ms`);
  const node = await until(
    'the node with its figures',
    async () => {
      const { data } = await it.server.ask(it.adminToken, 'GET', `/v3/clusters/${it.clusterId}/nodes`);
      return data[0]?.capacity?.cpu ? data[0] : undefined;
    },
    { timeoutMs: 15_000 },
  );
  assert.equal(node.nodeName, it.cluster.nodeNames[0]);
  const cluster = await until(
    'the sum over nodes',
    async () => {
      const seen = await it.server.ask(it.adminToken, 'GET', `/v3/clusters/${it.clusterId}`);
      return seen.nodeCount === 1 && seen.capacity?.cpu ? seen : undefined;
    },
    { timeoutMs: 15_000 },
  );
  assert.equal(cluster.version.gitVersion, it.cluster.version);
});

test('a member gets, applies, patches, watches, waits and deletes', async t => {
  if (skip) return t.skip(skip);
  await until(
    'the rights to be in the cluster',
    async () => (await asMember(['auth', 'can-i', '*', '*'])).trim() === 'yes',
    { timeoutMs: 15_000 },
  );
  await asMember(['apply', '-f', '-'], { input: JSON.stringify(shellPod) });
  await asMember(['wait', '--for=condition=Ready', 'pod/shell', '--timeout=60s'], { timeoutMs: 70_000 });
  assert.match(await asMember(['get', 'pods', '-o', 'wide']), /shell\s+1\/1\s+Running/);
  await asMember(['apply', '--server-side', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm' }, data: { a: '1' } }),
  });
  await asMember(['patch', 'configmap', 'cm', '--type=merge', '-p', '{"data":{"b":"2"}}']);
  assert.equal(await asMember(['get', 'configmap', 'cm', '-o', 'jsonpath={.data.b}']), '2');
  // Of one object by name, kubectl drops the first event as known already; of a list it does not.
  await using watch = startKubectl(
    ['get', 'configmaps', '--field-selector=metadata.name=cm', '-w', '-o', 'json'],
    member.kubeconfig,
  );
  await asMember(['patch', 'configmap', 'cm', '--type=json', '-p', '[{"op":"add","path":"/data/c","value":"three"}]']);
  await until('the change in the watch', () => watch.output().includes('three'));
  await asMember(['delete', 'configmap', 'cm']);
  assert.notEqual((await runKubectl(['get', 'configmap', 'cm'], { kubeconfig: member.kubeconfig })).code, 0);
});

/** Opened early and left alone, so that their silence lasts while the other tests run. */
let silent: { readonly since: number; readonly watch: Running; readonly logs: Running } | undefined;

const quietPod = {
  ...shellPod,
  metadata: { name: 'quiet' },
  spec: {
    ...shellPod.spec,
    containers: [
      {
        ...shellPod.spec.containers[0],
        stdin: true,
        command: ['sh', '-c', 'echo first; read line; echo second $line; sleep 100000'],
      },
    ],
  },
};

test('a watch and a logs -f are opened that nothing will be sent on', async t => {
  if (skip) return t.skip(skip);
  await asMember(['create', 'namespace', 'quiet']);
  await asMember(['-n', 'quiet', 'apply', '-f', '-'], { input: JSON.stringify(quietPod) });
  await asMember(['-n', 'quiet', 'wait', '--for=condition=Ready', 'pod/quiet', '--timeout=60s'], { timeoutMs: 70_000 });
  const logs = startKubectl(['-n', 'quiet', 'logs', '-f', 'quiet'], member.kubeconfig);
  await until('the first line', () => logs.output().includes('first'));
  // kubectl itself asks for a watch of at most some minutes; a raw one lasts as long as the server lets it.
  const watch = startKubectl(
    ['get', '--raw', '/api/v1/namespaces/quiet/secrets?watch=1&timeoutSeconds=3600'],
    member.kubeconfig,
  );
  silent = { since: performance.now(), watch, logs };
});

test('discovery, OpenAPI and explain answer through the proxy', async t => {
  if (skip) return t.skip(skip);
  assert.match(await asMember(['api-resources']), /deployments\s+deploy\s+apps\/v1/);
  assert.match(await asMember(['explain', 'pod.spec.containers']), /image/);
  assert.match(await asMember(['get', '--raw', '/openapi/v3']), /api\/v1/);
});

test('a stranger gets 403, in words', async t => {
  if (skip) return t.skip(skip);
  const stranger = await it.member('stan');
  const ran = await runKubectl(['get', 'pods'], { kubeconfig: stranger.kubeconfig });
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /Forbidden.*you are not a member/i);
  const answer = await it.server.fetch('GET', `/k8s/clusters/${it.clusterId}/api/v1/pods`, { token: stranger.token });
  assert.deepEqual([answer.status, answer.body.kind], [403, 'Status']);
});

test('logs -f follows, exec carries stdin and the exit code, a tty is a tty', async t => {
  if (skip) return t.skip(skip);
  await using logs = startKubectl(['logs', '-f', 'shell'], member.kubeconfig);
  await until('the log', () => logs.output().includes('started'));
  assert.equal(await asMember(['exec', '-i', 'shell', '--', 'cat'], { input: 'through and back' }), 'through and back');
  assert.equal(
    (await runKubectl(['exec', 'shell', '--', 'sh', '-c', 'exit 7'], { kubeconfig: member.kubeconfig })).code,
    7,
  );
  const tty = await asMember(['exec', '-it', 'shell', '--', 'sh', '-c', 'test -t 1 && echo terminal'], {
    input: '',
  }).catch(String);
  assert.match(tty, /terminal|Unable to use a TTY/);
});

test('attach reaches the running process', async t => {
  if (skip) return t.skip(skip);
  await using attached = startKubectl(['attach', '-i', 'shell'], member.kubeconfig);
  await until(
    'attach to be up',
    async () => {
      attached.child.stdin!.write('ping\n');
      return attached.output().includes('ping');
    },
    { everyMs: 300 },
  );
});

test('port-forward carries 50 MB unchanged', async t => {
  if (skip) return t.skip(skip);
  await asMember(['exec', 'shell', '--', 'sh', '-c', 'dd if=/dev/urandom of=/www/big bs=1048576 count=50 2>/dev/null']);
  const [wanted] = (await asMember(['exec', 'shell', '--', 'sha256sum', '/www/big'])).split(' ');
  await using forward = startKubectl(['port-forward', 'pod/shell', ':8080'], member.kubeconfig);
  const port = await until('the forwarded port', () => /127\.0\.0\.1:(\d+)/.exec(forward.output())?.[1]);
  const hash = createHash('sha256');
  let bytes = 0;
  let head = Buffer.alloc(0);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('GET /big HTTP/1.0\r\n\r\n');
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    let body: Buffer = chunk;
    if (head) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) continue;
      body = head.subarray(end + 4);
      head = undefined as never;
    }
    bytes += body.length;
    hash.update(body);
  }
  assert.equal(bytes, 50 << 20);
  assert.equal(hash.digest('hex'), wanted);
});

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

test('kubectl cp carries 500 MB both ways unchanged', { timeout: 300_000 }, async t => {
  if (skip) return t.skip(skip);
  const source = join(it.dir, 'source.bin');
  const file = await open(source, 'w');
  for (let i = 0; i < 500; i++) await file.write(randomBytes(1 << 20));
  await file.close();
  const wanted = await sha256Of(source);
  const up = performance.now();
  await asMember(['cp', source, 'shell:/tmp/copy.bin'], { timeoutMs: 140_000 });
  const upMs = performance.now() - up;
  assert.equal((await asMember(['exec', 'shell', '--', 'sha256sum', '/tmp/copy.bin'])).split(' ')[0], wanted);
  const down = performance.now();
  await asMember(['cp', 'shell:/tmp/copy.bin', join(it.dir, 'back.bin')], { timeoutMs: 140_000 });
  t.diagnostic(`500 MB up in ${Math.round(upMs)} ms, down in ${Math.round(performance.now() - down)} ms`);
  assert.equal(await sha256Of(join(it.dir, 'back.bin')), wanted);
});

test('a kubectl shell has its user’s rights, is cut with them, and leaves nothing', { timeout: 240_000 }, async t => {
  if (skip) return t.skip(skip);
  await requireShells(t, it);
});

const namespacesOf = (clusterId: string) => `/v3/cluster/${clusterId}/subscribe?resourceTypes=namespace`;
let cara: Awaited<ReturnType<Spine['member']>>;

test('whatever is open is cut when its right goes with a binding', async t => {
  if (skip) return t.skip(skip);
  cara = await it.member('cara', 'cluster-member');
  const { clusterId } = it;
  const take = await give(t, it, { who: cara, clusterId, roleTemplateId: 'cluster-owner' });
  await requireCut(t, it, { who: cara, subscribe: namespacesOf(clusterId), change: take });
});

test('it is cut when the role says less', async t => {
  if (skip) return t.skip(skip);
  const { clusterId, server, adminToken } = it;
  const reads = {
    apiGroups: [''],
    resources: ['pods', 'pods/log', 'namespaces'],
    verbs: ['get', 'list', 'watch'],
  };
  const runs = { apiGroups: [''], resources: ['pods/exec', 'pods/portforward'], verbs: ['get', 'create'] };
  const role = { name: 'works', context: 'cluster', rules: [reads, runs] };
  const { id } = await server.ask(adminToken, 'POST', '/v3/roletemplates', role);
  const take = await give(t, it, { who: cara, clusterId, roleTemplateId: id });
  const change = () => server.ask(adminToken, 'PUT', `/v3/roletemplates/${id}`, { rules: [reads] });
  await requireCut(t, it, { who: cara, subscribe: namespacesOf(clusterId), change });
  // What is left works again once the cluster has confirmed.
  const { kubeconfig } = cara;
  await until('him to read', async () => (await runKubectl(['get', 'pods'], { kubeconfig })).code === 0);
  assert.match((await runKubectl(['exec', 'shell', '--', 'true'], { kubeconfig })).stderr, /[Ff]orbidden/);
  await take();
});

test('it is cut when the namespace leaves the project', async t => {
  if (skip) return t.skip(skip);
  const { clusterId, server, adminToken } = it;
  const move = (projectId: string) =>
    server.ask(adminToken, 'POST', `/v3/cluster/${clusterId}/namespaces/default?action=move`, { projectId }, 200);
  const { id: projectId } = await server.ask(adminToken, 'POST', '/v3/projects', { name: 'work', clusterId });
  await move(projectId);
  const take = await give(t, it, { who: cara, projectId, roleTemplateId: 'project-owner' });
  const subscribe = `/v3/project/${projectId}/subscribe?resourceTypes=pod`;
  await requireCut(t, it, { who: cara, subscribe, change: () => move('') });
  await take();
});

test('it is cut when he is switched off', async t => {
  if (skip) return t.skip(skip);
  const { clusterId, server, adminToken } = it;
  const take = await give(t, it, { who: cara, clusterId, roleTemplateId: 'cluster-owner' });
  const change = async () => {
    await server.ask(adminToken, 'PUT', `/v3/users/${cara.id}`, { enabled: false });
    await take();
  };
  await requireCut(t, it, { who: cara, subscribe: namespacesOf(clusterId), change });
});

async function memberClient(): Promise<KubeClient> {
  return new KubeClient(await toConnection(await loadKubeconfig({ path: member.kubeconfig })));
}

const configMaps = { apiVersion: 'v1', resource: 'configmaps', kind: 'ConfigMap', namespaced: true };

test('200 parallel watches for a minute miss no event', { timeout: 150_000 }, async t => {
  if (skip) return t.skip(skip);
  await using client = await memberClient();
  await asMember(['create', 'namespace', 'watched']);
  const { resourceVersion } = await client.list(configMaps, { namespace: 'watched' });
  const stop = new AbortController();
  const seen = Array.from({ length: 200 }, () => new Set<string>());
  const watches = seen.map(async names => {
    for await (const event of client.watch(configMaps, {
      namespace: 'watched',
      resourceVersion,
      signal: stop.signal,
    })) {
      if (event.type === 'ADDED' && event.object.metadata.name.startsWith('event-'))
        names.add(event.object.metadata.name);
    }
  });
  const ended = Promise.allSettled(watches);
  const made = 120;
  const started = performance.now();
  for (let i = 0; i < made; i++) {
    await client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `event-${i}`, namespace: 'watched' },
    });
    await until('the next turn', () => performance.now() - started >= ((i + 1) * 60_000) / made, { timeoutMs: 5000 });
  }
  await until('every event in every watch', () => seen.every(names => names.size === made), {
    timeoutMs: 15_000,
  }).catch(() => undefined);
  stop.abort();
  await ended;
  assert.deepEqual([...new Set(seen.map(names => names.size))], [made]);
});

test('a watch and a logs -f that were silent for six minutes are still open', { timeout: 500_000 }, async t => {
  if (skip || !silent) return t.skip(skip ?? 'they were never opened');
  await using watch = silent.watch;
  await using logs = silent.logs;
  const { since } = silent;
  await until('six minutes to pass', () => performance.now() - since > 361_000, { timeoutMs: 400_000, everyMs: 500 });
  assert.deepEqual([watch.child.exitCode, logs.child.exitCode], [null, null]);
  await asMember(['-n', 'quiet', 'create', 'secret', 'generic', 'late']);
  await until('the late event', () => watch.output().includes('"late"'), { timeoutMs: 5000 });
  await using attached = startKubectl(['-n', 'quiet', 'attach', '-i', 'quiet'], member.kubeconfig);
  await until(
    'the late line',
    () => {
      attached.child.stdin!.write('breath\n');
      return logs.output().includes('second breath');
    },
    { timeoutMs: 10_000, everyMs: 300 },
  );
});

test('a killed agent shows as unavailable with its cause, and everything goes on when it is back', {
  timeout: 180_000,
}, async t => {
  if (skip) return t.skip(skip);
  await using client = await memberClient();
  const informer = new WatchCache(client, configMaps, { namespace: 'default' });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await informer.synced();
  const watch = client
    .watch(pods, { namespace: 'default', signal: AbortSignal.timeout(60_000) })
    [Symbol.asyncIterator]();
  const first = watch.next().catch(error => error);
  await first;
  const cut = (async () => {
    for (;;) {
      const next = await watch.next();
      if (next.done) return;
    }
  })().catch(() => undefined);

  await it.cluster.runKubectl(['-n', 'cattle-system', 'scale', 'deploy/cattle-cluster-agent', '--replicas=0']);
  await it.cluster.runKubectl([
    '-n',
    'cattle-system',
    'delete',
    'pod',
    '-l',
    'app=cattle-cluster-agent',
    '--grace-period=0',
    '--force',
  ]);
  const killed = performance.now();
  const away = await until(
    'the cluster to be unavailable',
    async () => {
      const seen = await it.clusterState();
      return seen.state === 'unavailable' ? seen : undefined;
    },
    { timeoutMs: 20_000, everyMs: 50 },
  );
  t.diagnostic(`unavailable after ${Math.round(performance.now() - killed)} ms: ${away.message}`);
  assert.ok(performance.now() - killed < 10_000);
  assert.ok(away.message.length > 10);
  await cut;
  assert.ok(performance.now() - killed < 12_000, 'open watches end');

  const asked = performance.now();
  const answer = await it.server.fetch('GET', `/k8s/clusters/${it.clusterId}/api/v1/pods`, { token: member.token });
  assert.deepEqual([answer.status, answer.body.kind, answer.body.reason], [503, 'Status', 'ServiceUnavailable']);
  assert.match(answer.body.message, /not connected/);
  assert.ok(performance.now() - asked < 5_000);

  await it.cluster.runKubectl(['create', 'configmap', 'made-while-away']);
  await it.cluster.runKubectl(['-n', 'cattle-system', 'scale', 'deploy/cattle-cluster-agent', '--replicas=1']);
  const back = performance.now();
  await until('the cluster to be active again', async () => (await it.clusterState()).state === 'active', {
    timeoutMs: 60_000,
    everyMs: 50,
  });
  t.diagnostic(`active again ${Math.round(performance.now() - back)} ms after the agent was scaled up`);
  await until('the informer to have what was made meanwhile', () => informer.get('default/made-while-away'), {
    timeoutMs: 30_000,
  });
  stop.abort();
  await running.catch(() => undefined);
});

test('deleting the cluster removes what was installed in it', { timeout: 120_000 }, async t => {
  if (skip) return t.skip(skip);
  await it.server.ask(it.adminToken, 'DELETE', `/v3/clusters/${it.clusterId}`);
  await until(
    'the cluster to be forgotten',
    async () => (await it.server.fetch('GET', `/v3/clusters/${it.clusterId}`, { token: it.adminToken })).status === 404,
    { timeoutMs: 60_000 },
  );
  await until(
    'the agent’s namespace to be gone',
    async () => {
      const { code } = await runKubectl(['get', 'namespace', 'cattle-system'], {
        kubeconfig: it.cluster.kubeconfigPath,
      });
      return code !== 0;
    },
    { timeoutMs: 60_000, everyMs: 500 },
  );
  await until(
    'its roles and bindings to be gone',
    async () => {
      const left = await it.cluster.runKubectl([
        'get',
        'clusterroles,clusterrolebindings',
        '-l',
        'app.kubernetes.io/managed-by=drover',
        '-o',
        'name',
      ]);
      return left.trim() === '';
    },
    { timeoutMs: 60_000, everyMs: 500 },
  );
  assert.equal(
    (await it.server.fetch('GET', `/k8s/clusters/${it.clusterId}/version`, { token: member.token })).status,
    403,
  );
});

test('writes of nothing unexpected', async t => {
  if (skip) return t.skip(skip);
  await writeFile(join(it.dir, 'server.log'), it.server.output);
  assert.ok(
    !/"level":"error"/.test(it.server.output),
    it.server.output
      .split('\n')
      .filter(line => line.includes('"level":"error"'))
      .slice(0, 5)
      .join('\n'),
  );
});
