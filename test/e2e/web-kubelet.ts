/**
 * As much of a kubelet as logs and shells of pods need: the kube-apiserver asks it for them, as it does on any node, so that a journey
 * takes their whole way: browser, server, tunnel, agent, kube-apiserver. Logs are what a test writes, a shell is a real one without a terminal.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type CertPair, issueCert } from '@drover/engine';
import { type WebSocket, WebSocketServer } from 'ws';

export interface FakeKubelet extends AsyncDisposable {
  /** The node that pods must name to be its own. */
  readonly node: object;
  readonly nodeStatus: object;
  /** Adds a line to the log of a pod, for those that follow it too. */
  log(pod: string, text: string): void;
  /** Breaks every connection that follows a log. */
  breakLogs(): void;
}

const nodeName = 'node-1';
const frame = (channel: number, body: Buffer | string) => Buffer.concat([Buffer.of(channel), Buffer.from(body)]);

/** On this machine, as if it were the container; it waits where what it writes is not read. */
function runCommand(ws: WebSocket, [program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): void {
  const child = spawn(program, args, { stdio: 'pipe', env: { ...process.env, ...env } });
  const closed = once(child, 'close');
  const pass = async (stream: Readable, channel: number): Promise<void> => {
    for await (const bytes of stream as AsyncIterable<Buffer>)
      await new Promise(resolve => ws.send(frame(channel, bytes), resolve));
  };
  ws.on('message', (data: Buffer) => {
    if (data[0] !== 0 || child.stdin.write(data.subarray(1))) return;
    ws.pause();
    child.stdin.once('drain', () => ws.resume());
  });
  child.stdin.on('error', () => undefined);
  ws.once('close', () => child.kill('SIGKILL'));
  void Promise.all([pass(child.stdout, 1), pass(child.stderr, 2), closed]).then(([, , [code]]) => {
    const status = code === 0 ? { status: 'Success' } : { status: 'Failure', message: `exit code ${code}` };
    ws.send(frame(3, JSON.stringify(status)));
    ws.close();
  });
}

const containerLogs = /^\/containerLogs\/[^/]+\/([^/]+)\//;

export async function startFakeKubelet(ca: CertPair): Promise<FakeKubelet> {
  const request = { commonName: nodeName, ips: ['127.0.0.1'], usages: ['server' as const] };
  const { cert, key } = await issueCert(ca, request);
  const dir = await mkdtemp(join(tmpdir(), 'drover-kubelet-'));
  // Where containers find what is theirs: none of them is to find the home of who runs the tests.
  const home = { HOME: dir, KUBECONFIG: join(dir, '.kube/config'), ENV: join(dir, '.shrc') };
  const logs = new Map<string, string[]>();
  const followers = new Set<{ readonly pod: string; readonly response: ServerResponse }>();
  const server = createServer({ cert, key: key.reveal() }, (incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'https://kubelet');
    const pod = containerLogs.exec(url.pathname)?.[1];
    if (!pod || !logs.has(pod)) {
      response.writeHead(404).end(`no logs of ${pod}`);
      return;
    }
    // The kube-apiserver passes it on to the second.
    const since = Date.parse(url.searchParams.get('sinceTime') ?? '1970-01-01T00:00:00Z');
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.flushHeaders();
    for (const line of logs.get(pod)!)
      if (Date.parse(line.slice(0, line.indexOf(' '))) >= since) response.write(`${line}\n`);
    if (url.searchParams.get('follow') !== 'true') {
      response.end();
      return;
    }
    const follower = { pod, response };
    followers.add(follower);
    response.once('close', () => followers.delete(follower));
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v4.channel.k8s.io' });
  server.on('upgrade', (incoming, socket, head) => {
    const query = new URL(incoming.url ?? '/', 'https://kubelet').searchParams;
    sockets.handleUpgrade(incoming, socket, head, ws => {
      if (query.get('tty') !== '1') {
        runCommand(ws, query.getAll('command'), home);
        return;
      }
      const shell = spawn('/bin/sh', ['-i'], { stdio: 'pipe', env: { PS1: '$ ', PATH: '/usr/bin:/bin', ...home } });
      const tell = (bytes: Buffer): void => ws.send(Buffer.concat([Buffer.of(1), bytes]));
      // A terminal begins a line at its beginning.
      const show = (bytes: Buffer): void =>
        tell(Buffer.from(bytes.toString('latin1').replace(/\n/g, '\r\n'), 'latin1'));
      shell.stdout.on('data', show);
      shell.stderr.on('data', show);
      shell.once('close', () => ws.close());
      ws.on('message', (data: Buffer) => {
        if (data[0] !== 0) return;
        // What a terminal would do: Enter ends a line, and what is typed is seen.
        const text = data.subarray(1).toString().replace(/\r/g, '\n');
        tell(Buffer.from(text.replace(/\n/g, '\r\n')));
        shell.stdin.write(text);
      });
      ws.once('close', () => shell.kill('SIGKILL'));
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const port = (server.address() as AddressInfo).port;
  const breakLogs = (): void => {
    for (const { response } of followers) response.destroy();
  };
  return {
    node: { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName } },
    nodeStatus: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
    log(pod, text) {
      const line = `${new Date().toISOString().replace('Z', '000000Z')} ${text}`;
      logs.set(pod, [...(logs.get(pod) ?? []), line]);
      for (const follower of followers) if (follower.pod === pod) follower.response.write(`${line}\n`);
    },
    breakLogs,
    async [Symbol.asyncDispose]() {
      for (const ws of sockets.clients) ws.terminate();
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
}
