/**
 * Who may dial in, and as what: agents that lie about who they are, where they are and what they have get nowhere.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { type Resource, sleep, until } from '@drover/base';
import { issueCert } from '@drover/engine';
import { pods } from '@drover/kube';
import { WebSocket } from 'ws';
import { type Hub, startHub } from './hub.ts';

let hub: Hub;
let cluster: { readonly id: string; readonly token: string };

before(async () => {
  hub = await startHub();
  cluster = await hub.makeCluster('mine');
});
after(() => hub[Symbol.asyncDispose]());

const uid = '11111111-2222-3333-4444-555555555555';
const ours = (clusterUid = uid) => ({ agent: { version: 'v1', clusterUid, kubernetesVersion: 'v1.36.3' } });
const encode = (params: unknown) => Buffer.from(JSON.stringify(params)).toString('base64');

interface Dialled {
  readonly socket?: WebSocket;
  readonly status?: number;
  readonly text?: string;
}

function dial(headers: Record<string, string>, path = '/v3/connect/register'): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://127.0.0.1:${hub.port}${path}`, { headers, ca: hub.ca.cert });
    socket.on('open', () => resolve({ socket }));
    socket.on('error', reject);
    socket.on('unexpected-response', (_, response) => {
      let text = '';
      response.on('data', chunk => (text += String(chunk)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
  });
}

const asAgent = (token: string, params: unknown) =>
  dial({ 'X-API-Tunnel-Token': token, 'X-API-Tunnel-Params': encode(params) });

test('without a token 401, with a wrong one 400, with nonsense 400, in plain words', async () => {
  assert.deepEqual(await dial({}), { status: 401, text: 'failed authentication' });
  assert.deepEqual(await asAgent('x'.repeat(54), ours()), { status: 400, text: 'cluster not found' });
  const wrong: [unknown, RegExp][] = [
    [{}, /missing node or cluster registration info/],
    [{ cluster: { address: '' } }, /invalid input, address empty/],
    [{ cluster: { address: 'a:1', token: '' } }, /invalid input, token empty/],
    [{ cluster: { address: 'a:1/../', token: 't', caCert: 'x' } }, /address must be host:port/],
    [{ cluster: { address: 'a:1', token: 't', caCert: 'eA==' } }, /caCert must be base64/],
    [{ agent: { version: 'v1\nx', clusterUid: 'u', kubernetesVersion: 'v' } }, /version must be a short word/],
  ];
  for (const [params, text] of wrong) {
    const answer = await asAgent(cluster.token, params);
    assert.equal(answer.status, 400);
    assert.match(answer.text ?? '', text);
  }
  const broken = await dial({ 'X-API-Tunnel-Token': cluster.token, 'X-API-Tunnel-Params': '{}' });
  assert.deepEqual(broken, { status: 400, text: 'registration info is not base64' });
});

test('another cluster can not come back under an id that is taken', async () => {
  const { socket } = await asAgent(cluster.token, ours());
  await until('the cluster to be registered', () => hub.caches.cluster.get(cluster.id)?.status?.clusterUid === uid);
  const other = await asAgent(cluster.token, ours('99999999-2222-3333-4444-555555555555'));
  assert.equal(other.status, 400);
  assert.match(other.text ?? '', /cluster "mine", which registered before and is another one/);
  socket?.terminate();
  await until('it to be away', () => !hub.clusters.tunnels.has(cluster.id));
});

test('an agent can not lend itself to another cluster, nor open streams into the server', async t => {
  const victim = await hub.makeCluster('victim');
  const { socket } = await asAgent(cluster.token, ours());
  t.after(() => socket?.terminate());
  await until('it to be connected', () => hub.clusters.tunnels.has(cluster.id));
  let reached = false;
  const secret = createServer(connection => {
    reached = true;
    connection.destroy();
  });
  await new Promise<void>(resolve => secret.listen(0, '127.0.0.1', resolve));
  t.after(() => secret.close());
  const { port } = secret.address() as { port: number };
  // AddClient for the victim, then Connect to an address of the server's own network.
  socket!.send(Buffer.concat([Buffer.from([0xe0, 0x0f, 0x00, 0x08]), Buffer.from(`${victim.id}/12345`)]));
  socket!.send(
    Buffer.concat([Buffer.from([0xd0, 0x0f, 0x04, 0x04, 0xb0, 0xea, 0x01]), Buffer.from(`tcp/127.0.0.1:${port}`)]),
  );
  await until('both to be refused', () => hub.clusters.tunnels.sessions().some(session => session.refused === 2));
  assert.equal(hub.clusters.tunnels.has(victim.id), false);
  assert.equal(reached, false);
});

test('the address that a foreign agent names is dialled through its own tunnel only', async t => {
  const foreign = await hub.makeCluster('foreign');
  let reached = false;
  const secret = createServer(connection => {
    reached = true;
    connection.destroy();
  });
  await new Promise<void>(resolve => secret.listen(0, '127.0.0.1', resolve));
  t.after(() => secret.close());
  const { port } = secret.address() as { port: number };
  const pair = await issueCert(hub.ca, { commonName: 'x', ips: ['127.0.0.1'], usages: ['server'] });
  const caCert = Buffer.from(pair.cert).toString('base64');
  const { socket } = await asAgent(foreign.token, { cluster: { address: `127.0.0.1:${port}`, token: 't', caCert } });
  t.after(() => socket?.terminate());
  const asked = new Promise<Buffer>(resolve => socket!.once('message', data => resolve(data as Buffer)));
  assert.match((await asked).toString('latin1'), new RegExp(`tcp/127\\.0\\.0\\.1:${port}$`));
  await sleep(100);
  assert.equal(reached, false);
  const admin = await hub.makeUser('boss', 'admin');
  const client = hub.client(foreign.id, admin.bearer);
  // Nothing of a user's is sent to it before it is known what it is.
  const asked_ = client.list<Resource>(pods, { signal: AbortSignal.timeout(3000) });
  await assert.rejects(asked_, { status: 503, message: /being registered/ });
  await client[Symbol.asyncDispose]();
});

test('the second tunnel of foreign agents is taken under a name of its own', async () => {
  const { socket } = await dial({ Authorization: `Bearer stv-cluster-${cluster.token}` }, '/v3/connect');
  await until('it to be there', () => hub.clusters.tunnels.has(`stv-cluster-${cluster.id}`));
  assert.equal(hub.clusters.tunnels.has(cluster.id), false);
  socket?.terminate();
});

test('a token that was replaced is good for its grace period, and no longer', async () => {
  const place = { name: 'crt-token-default-token', namespace: cluster.id };
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
  const replaced = (gracePeriodExpiresAt: string) => ({
    token: 'n'.repeat(54),
    previousToken: cluster.token,
    gracePeriodExpiresAt,
  });
  await hub.resources.modify('secret', place, seen => ({ ...seen, stringData: replaced(inAnHour) }));
  const { socket } = await asAgent(cluster.token, ours());
  assert.ok(socket);
  socket.terminate();
  await hub.resources.modify('secret', place, seen => ({ ...seen, stringData: replaced('2020-01-01T00:00:00Z') }));
  assert.equal((await asAgent(cluster.token, ours())).status, 400);
  const next = await asAgent('n'.repeat(54), ours());
  assert.ok(next.socket);
  next.socket.terminate();
});
