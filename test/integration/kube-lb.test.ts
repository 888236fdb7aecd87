/** The balancer that every node has: prefers its own control plane, passes over the dead, and cuts what hangs on them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttps, get as httpsGet } from 'node:https';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { messageOf, until } from '@drover/base';
import { certKubeconfig, findNodeBinaries, issueCert, makeCa } from '@drover/engine';

const binary = await findNodeBinaries(['kube-lb']).catch((error: Error) => error);
const skip = binary instanceof Error ? messageOf(binary) : false;
const ca = await makeCa('test');
const { cert, key } = await issueCert(ca, { commonName: 'a', ips: ['127.0.0.1'], usages: ['server'] });

interface Backend extends AsyncDisposable {
  readonly address: string;
  stop(): Promise<void>;
}

/** Says its name to everybody and keeps the connection. */
async function startBackend(name: string): Promise<Backend> {
  const open = new Set<TLSSocket>();
  const server = createServer({ cert, key: key.reveal() }, socket => {
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
    socket.write(name);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = async () => {
    const closed = new Promise(resolve => server.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
  };
  return { address, stop, [Symbol.asyncDispose]: stop };
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

function startBalancer(port: number, backends: readonly string[], local?: string, kubeconfig?: string): ChildProcess {
  if (binary instanceof Error) throw binary;
  const args = [
    `--listen=127.0.0.1:${port}`,
    `--backends=${backends.join(',')}`,
    ...(local ? [`--local=${local}`] : []),
    ...(kubeconfig ? [`--kubeconfig=${kubeconfig}`] : []),
  ];
  return spawn(binary['kube-lb']!.path, args, { stdio: 'ignore' });
}

/** Who answers, and the connection to him. */
async function ask(port: number): Promise<{ name: string; socket: TLSSocket }> {
  const socket = connect({ port, host: '127.0.0.1', ca: ca.cert });
  socket.on('error', () => {});
  const [data] = (await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => ['nobody'])])) as [
    unknown,
  ];
  return { name: String(data), socket };
}

async function nameAt(port: number): Promise<string> {
  const { name, socket } = await ask(port);
  socket.destroy();
  return name;
}

test('the local control plane answers first, another once it is gone, and it again when it is back', {
  skip,
}, async () => {
  await using one = await startBackend('one');
  await using two = await startBackend('two');
  const port = await freePort();
  const balancer = startBalancer(port, [one.address, two.address], two.address);
  try {
    await until('the local one to be preferred', async () => (await nameAt(port)) === 'two', { timeoutMs: 30_000 });
    for (let index = 0; index < 5; index++) assert.equal(await nameAt(port), 'two');
    await two.stop();
    await until('the other one to answer', async () => (await nameAt(port)) === 'one', { timeoutMs: 30_000 });
  } finally {
    balancer.kill('SIGKILL');
  }
});

test('who hangs on one that stopped answering is let go', { skip }, async () => {
  await using one = await startBackend('one');
  await using two = await startBackend('two');
  let hangs = false;
  const [, onePort] = one.address.split(':');
  // As of a process that hangs: its kernel goes on taking connections, and those that are open stay.
  const front = createTcpServer(socket => {
    socket.on('error', () => {});
    if (!hangs) socket.pipe(connectTcp(Number(onePort), '127.0.0.1').on('error', () => {})).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  const local = `127.0.0.1:${(front.address() as AddressInfo).port}`;
  const port = await freePort();
  const balancer = startBalancer(port, [local, two.address], local);
  try {
    await until('the local one to be preferred', async () => (await nameAt(port)) === 'one', { timeoutMs: 30_000 });
    const { socket } = await ask(port);
    const cut = once(socket, 'close');
    hangs = true;
    await cut;
    await until('the other one to answer', async () => (await nameAt(port)) === 'two', { timeoutMs: 30_000 });
  } finally {
    balancer.kill('SIGKILL');
    front.close();
  }
});

test('two control planes on other hosts share the work', { skip }, async () => {
  await using one = await startBackend('one');
  await using two = await startBackend('two');
  const port = await freePort();
  const balancer = startBalancer(port, [one.address, two.address]);
  try {
    const seen = new Set<string>();
    const both = async () => {
      seen.add(await nameAt(port));
      return seen.has('one') && seen.has('two');
    };
    await until('both to be asked', both, { timeoutMs: 30_000 });
  } finally {
    balancer.kill('SIGKILL');
  }
});

test('a control plane that is not ready gets nothing new, and keeps what it has', { skip }, async t => {
  const dir = await mkdtemp(join(tmpdir(), 'drover-lb-'));
  t.after(() => rm(dir, { recursive: true }));
  const identity = await issueCert(ca, { commonName: 'system:node:a', usages: ['client'] });
  const kubeconfig = join(dir, 'node.json');
  await writeFile(kubeconfig, certKubeconfig({ server: 'https://127.0.0.1:1', ca: ca.cert, user: 'a', identity }));
  let isReady = true;
  const start = async (name: string) => {
    const trust = { requestCert: true, rejectUnauthorized: false, ca: ca.cert };
    const server = createHttps({ cert, key: key.reveal(), ...trust }, ({ url, socket }, response) => {
      const known = (socket as TLSSocket).authorized;
      if (url === '/readyz') response.writeHead(known && (isReady || name !== 'one') ? 200 : 500).end();
      else if (url === '/wait') response.write(name);
      else response.end(name);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.closeAllConnections());
    t.after(() => server.close());
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const [one, two] = [await start('one'), await start('two')];
  const port = await freePort();
  const balancer = startBalancer(port, [one, two], one, kubeconfig);
  const get = async (path: string): Promise<IncomingMessage> => {
    const [answer] = await once(httpsGet({ port, path, host: '127.0.0.1', ca: ca.cert, agent: false }), 'response');
    return answer as IncomingMessage;
  };
  const name = async () => {
    const [chunk] = await once(await get('/name'), 'data').catch(() => ['nobody']);
    return String(chunk);
  };
  try {
    await until('the local one to be preferred', async () => (await name()) === 'one', { timeoutMs: 30_000 });
    const kept = await get('/wait');
    let over = false;
    kept
      .on('close', () => {
        over = true;
      })
      .resume();
    isReady = false;
    await until('the other one to be asked', async () => (await name()) === 'two', { timeoutMs: 30_000 });
    assert.equal(over, false);
    isReady = true;
    await until('the local one to be preferred again', async () => (await name()) === 'one', { timeoutMs: 30_000 });
    assert.equal(over, false);
    kept.destroy();
  } finally {
    balancer.kill('SIGKILL');
  }
});
