/**
 * All that somebody can have open into a cluster at once, by kubectl and past it, and when each of it ended: what a change of his rights
 * has to cut. Each is known to work before it counts as open.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { until } from '@drover/base';
import { WebSocket } from 'ws';
import { runKubectl, startKubectl } from './kubectl.ts';
import type { Spine } from './spine.ts';

export interface Who {
  readonly id: string;
  readonly token: string;
  readonly kubeconfig: string;
}

interface OpenWay {
  readonly name: string;
  /** When it ended, by performance.now(); undefined while it is open. */
  readonly endedAt: () => number | undefined;
  /** What came through it. */
  readonly output: () => string;
}

interface OpenWays extends AsyncDisposable {
  readonly ways: readonly OpenWay[];
}

/** A pod of the namespace that serves on 8080 and has logs, and where subscriptions begin: `/v3/cluster/ID` or `/v3/project/ID`. */
interface Place {
  readonly pod: string;
  readonly container: string;
  readonly subscribe: string;
}

/** Opens one of each. */
async function openWays(spine: Spine, who: Who, place: Place): Promise<OpenWays> {
  await using undo = new AsyncDisposableStack();
  const { clusterId } = spine;
  const at = { clusterId, namespace: 'default', pod: place.pod, container: place.container };
  const ways = [
    await overKubectl(undo, who, ['exec', '-i', place.pod, '--', 'sh', '-c', 'echo begun; cat'], /begun/),
    await overKubectl(undo, who, ['logs', '-f', place.pod], /started/),
    await overKubectl(undo, who, ['get', '--raw', '/api/v1/namespaces/default/pods?watch=1'], /"ADDED"/),
    await portForward(undo, who, place.pod),
    await subscription(undo, spine, who, { path: place.subscribe, began: /"resource\.change"/ }),
    await subscription(undo, spine, who, {
      path: `/k8s/clusters/${clusterId}/v1/subscribe`,
      began: /"resource\.start"/,
      say: { resourceType: 'pod', namespace: 'default' },
    }),
    await subscription(undo, spine, who, {
      path: `/v1-terminals?${new URLSearchParams({ ...at, command: '/bin/sh' })}`,
      began: /"session"/,
    }),
    await upload(undo, spine, who, at),
  ];
  const kept = undo.move();
  return { ways, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function opened(way: OpenWay, began: RegExp): Promise<OpenWay> {
  const begun = () => {
    if (way.endedAt() !== undefined) throw new Error(`it ended: ${way.output()}`);
    return began.test(way.output());
  };
  await until(`${way.name} to be open`, begun, { timeoutMs: 20_000 });
  return way;
}

function overKubectl(undo: AsyncDisposableStack, who: Who, args: readonly string[], began: RegExp): Promise<OpenWay> {
  const running = undo.use(startKubectl(args, who.kubeconfig));
  let ended: number | undefined;
  void running.exited.then(() => (ended = performance.now()));
  const name = `kubectl ${args.slice(0, 2).join(' ')}`;
  return opened({ name, endedAt: () => ended, output: running.output }, began);
}

/** With a connection through it that has carried something and waits. */
async function portForward(undo: AsyncDisposableStack, who: Who, pod: string): Promise<OpenWay> {
  const running = undo.use(startKubectl(['port-forward', `pod/${pod}`, ':8080'], who.kubeconfig));
  const port = await until('the forwarded port', () => /127\.0\.0\.1:(\d+)/.exec(running.output())?.[1]);
  const socket = connect(Number(port), '127.0.0.1');
  undo.defer(() => void socket.destroy());
  let ended: number | undefined;
  socket.on('error', () => undefined);
  socket.once('close', () => (ended ??= performance.now()));
  await once(socket, 'connect');
  // Half of a request, and one that was refused before the way was there would end it.
  socket.write('GET / HTTP/1.0\r\n');
  socket.resume();
  await until('the connection to be passed on', () => /Handling connection/.test(running.output()));
  return opened({ name: 'kubectl port-forward', endedAt: () => ended, output: running.output }, /Handling/);
}

interface Subscribing {
  readonly path: string;
  readonly began: RegExp;
  readonly say?: object;
}

function subscription(
  undo: AsyncDisposableStack,
  { server }: Spine,
  { token }: Who,
  { path, began, say }: Subscribing,
): Promise<OpenWay> {
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`${server.url}${path}`, { ca: server.ca, headers });
  undo.defer(() => socket.terminate());
  let output = '';
  let ended: number | undefined;
  socket.on('message', data => (output = `${output}${data}`.slice(-100_000)));
  socket.on('error', error => (output += error.message));
  socket.once('close', () => (ended = performance.now()));
  if (say) socket.once('open', () => socket.send(JSON.stringify(say)));
  return opened({ name: path.replace(/\?.*/, ''), endedAt: () => ended, output: () => output }, began);
}

/** Of a file, of which half is sent. */
async function upload(
  undo: AsyncDisposableStack,
  { server }: Spine,
  who: Who,
  at: { readonly pod: string } & Record<string, string>,
): Promise<OpenWay> {
  const path = `/v1-files?${new URLSearchParams({ ...at, path: '/tmp/half' })}`;
  const headers = { authorization: `Bearer ${who.token}`, 'content-length': 20 };
  const asked = request(`${server.url}${path}`, { method: 'PUT', ca: server.ca, headers, agent: false });
  undo.defer(() => void asked.destroy());
  let output = '';
  let ended: number | undefined;
  const end = () => (ended ??= performance.now());
  asked.on('error', end);
  asked.once('response', response => {
    end();
    output += response.statusCode;
    response.resume();
  });
  asked.write('0123456789');
  const there = ['exec', at.pod, '--', 'test', '-f', '/tmp/half.drover-part'];
  await until('the half of the file', async () => (await runKubectl(there, who)).code === 0, { timeoutMs: 20_000 });
  return { name: '/v1-files', endedAt: () => ended, output: () => output };
}

/** What the cluster itself says. */
async function mayExec({ cluster }: Spine, { id }: Who): Promise<boolean> {
  const args = [
    'auth',
    'can-i',
    'create',
    'pods',
    '--subresource=exec',
    '--as',
    id,
    '--as-group',
    'system:authenticated',
  ];
  return (await cluster.runKubectl(args).catch(() => 'no')).trim() === 'yes';
}

export interface Change {
  readonly who: Who;
  readonly subscribe: string;
  readonly change: () => Promise<unknown>;
}

/** Opens all of it, and changes something: then everything has to be cut within a second, and the right gone in the cluster within five. */
export async function requireCut(t: TestContext, spine: Spine, { who, subscribe, change }: Change): Promise<void> {
  // What was taken from him before may not be confirmed yet.
  await until('him to be let in', async () => (await runKubectl(['get', 'pods'], who)).code === 0, {
    timeoutMs: 15_000,
  });
  await using open = await openWays(spine, who, { pod: 'shell', container: 'main', subscribe });
  const left = () => open.ways.filter(way => way.endedAt() === undefined).map(({ name }) => name);
  assert.equal(left().length, open.ways.length, 'all of it is open');
  const begun = performance.now();
  await change();
  const gone = until('the cluster to grant it no more', async () => !(await mayExec(spine, who)), { everyMs: 10 });
  await until('all of it to be cut', () => left().length === 0, { timeoutMs: 5000, everyMs: 5 }).catch(() => undefined);
  assert.deepEqual(left(), [], 'open after the change');
  await gone;
  const goneMs = performance.now() - begun;
  const cut = open.ways.map(({ name, endedAt }) => ({ name, ms: Math.round(endedAt()! - begun) }));
  t.diagnostic(`cut after ${cut.map(({ name, ms }) => `${ms} (${name})`).join(', ')} ms`);
  t.diagnostic(`gone in the cluster after ${Math.round(goneMs)} ms`);
  assert.deepEqual(
    cut.filter(({ ms }) => ms < 0 || ms > 1000),
    [],
  );
  assert.ok(goneMs < 5000, `${goneMs} ms`);
}

/** Gives him a role, which has to be in the cluster within five seconds; what is answered takes it away again. */
export async function give(t: TestContext, spine: Spine, { who, ...to }: { who: Who } & Record<string, unknown>) {
  const { server, adminToken } = spine;
  const type = to['projectId'] ? 'projectRoleTemplateBindings' : 'clusterRoleTemplateBindings';
  const begun = performance.now();
  const { id } = await server.ask(adminToken, 'POST', `/v3/${type}`, { userId: who.id, ...to });
  await until('the right to be in the cluster', () => mayExec(spine, who), { timeoutMs: 15_000, everyMs: 10 });
  const ms = performance.now() - begun;
  t.diagnostic(`given in the cluster after ${Math.round(ms)} ms`);
  assert.ok(ms < 5000, `${ms} ms`);
  return () => server.fetch('DELETE', `/v3/${type}/${id}`, { token: adminToken });
}
