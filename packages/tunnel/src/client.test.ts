/** The client towards servers that refuse, hang up, speak TLS or stand behind a proxy; and a server that drains. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { hasReason, messageOf, silentLog, until } from '@drover/base';
import { Agent, request } from 'undici';
import { type ConnectTunnelOptions, connectTunnel } from './client.ts';
import { type DialOptions, dialWebSocket } from './dial-websocket.ts';
import { TunnelServer } from './server.ts';

/** A self-signed certificate for 127.0.0.1. */
function certificate(): { key: string; cert: string } | undefined {
  const made =
    '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=tunnel -days 2 -keyout - -out -';
  try {
    const pem = execFileSync('openssl', ['req', ...made.split(' '), '-addext', 'subjectAltName=IP:127.0.0.1'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const at = pem.indexOf('-----BEGIN CERTIFICATE');
    return { key: pem.slice(0, at), cert: pem.slice(at) };
  } catch {
    return undefined;
  }
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function hold(url: string, options: Partial<ConnectTunnelOptions> = {}) {
  const stop = new AbortController();
  const done = connectTunnel({
    url,
    headers: () => ({}),
    open: async () => () => undefined,
    backoff: { minMs: 20, maxMs: 40 },
    signal: stop.signal,
    log: silentLog,
    ...options,
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

async function startServer() {
  const tunnel = new TunnelServer({ log: silentLog });
  const http = createServer();
  http.on('upgrade', (incoming, socket, head) => {
    void tunnel.accept(incoming, socket, head, { clientKey: 'c-one' });
  });
  const host = await listen(http);
  return {
    tunnel,
    host,
    async [Symbol.asyncDispose]() {
      await tunnel[Symbol.asyncDispose]();
      http.close();
    },
  };
}

test('a refusal carries the status and what the server said, and the client tries again with fresh headers', async () => {
  const seen: string[] = [];
  const http = createServer();
  http.on('upgrade', (incoming, socket) => {
    seen.push(String(incoming.headers['x-key']));
    // The client hangs up as soon as it has read enough.
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 21\r\n\r\nfailed authentication');
  });
  const host = await listen(http);
  let last: Error | undefined;
  let asked = 0;
  {
    await using _client = hold(`ws://${host}`, {
      headers: () => ({ 'X-Key': `try-${++asked}` }),
      onDisconnected: error => {
        last = error;
      },
    });
    await until('three tries', () => seen.length >= 3);
  }
  assert.deepEqual(seen.slice(0, 3), ['try-1', 'try-2', 'try-3']);
  assert.ok(hasReason(last, 'Unauthorized'));
  assert.match(last!.message, /refused the tunnel with 401: failed authentication/);
  http.close();
});

test('an address that is no websocket’s is Invalid and says what would be right', async () => {
  await assert.rejects(
    async () => dialWebSocket({ url: 'https://host', headers: {}, signal: new AbortController().signal }),
    error => hasReason(error, 'Invalid') && /ws:\/\/ or wss:\/\//.test((error as Error).message),
  );
});

test('over TLS the CA is checked, and the environment’s proxy and NO_PROXY are kept to', async t => {
  const pair = certificate();
  if (!pair) return t.skip('needs openssl to make a certificate');
  const tunnel = new TunnelServer({ log: silentLog });
  const https = createTlsServer(pair);
  https.on('upgrade', (incoming, socket, head) => void tunnel.accept(incoming, socket, head, { clientKey: 'c-one' }));
  const host = await listen(https);
  const proxied: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (incoming, near: Socket) => {
    proxied.push(incoming.url!);
    const far = connect(Number(host.split(':')[1]), '127.0.0.1', () => {
      near.write('HTTP/1.1 200 OK\r\n\r\n');
      far.pipe(near).pipe(far);
    });
    far.on('error', () => near.destroy());
    near.on('error', () => far.destroy());
  });
  const proxyHost = await listen(proxy);
  const { signal } = new AbortController();
  const dial = (more: Partial<DialOptions>) =>
    dialWebSocket({ url: `wss://${host}`, headers: {}, signal, tls: { ca: pair.cert }, ...more });
  await assert.rejects(dial({ tls: {} }), error => /self-signed/.test(messageOf(error)));
  (await dial({ proxyEnv: { HTTPS_PROXY: `http://${proxyHost}` } })).websocket.terminate();
  (await dial({ proxyEnv: { HTTPS_PROXY: `http://${proxyHost}`, NO_PROXY: '127.0.0.1' } })).websocket.terminate();
  assert.deepEqual(proxied, [host]);
  {
    await until('the dials before to be over', () => tunnel.sessions().length === 0);
    await using _client = hold(`wss://${host}`, {
      tls: { ca: pair.cert },
      open: async () => stream => stream.pipe(stream),
    });
    await tunnel.waitFor('c-one', { timeoutMs: 5000 });
    const stream = await tunnel.dialer('c-one')({ host: 'x', port: 1 });
    stream.write('through TLS');
    assert.equal(String((await once(stream, 'data'))[0]), 'through TLS');
    stream.destroy();
  }
  await tunnel[Symbol.asyncDispose]();
  https.close();
  proxy.close();
});

test('undici keeps a connection through the tunnel and sends the next request on it', async () => {
  await using server = await startServer();
  const backend = createServer((incoming, response) => response.end(incoming.url));
  const port = Number((await listen(backend)).split(':')[1]);
  let opened = 0;
  await using _client = hold(`ws://${server.host}`, {
    open: async () => {
      opened++;
      return connect(port, '127.0.0.1');
    },
  });
  await server.tunnel.waitFor('c-one', { timeoutMs: 5000 });
  const dial = server.tunnel.dialer('c-one');
  const agent = new Agent({
    connections: 1,
    connect: (_options, done) => {
      dial({ host: 'inside', port: 80 }).then(
        stream => done(null, stream as Socket),
        error => done(error, null),
      );
    },
  });
  for (const path of ['/a', '/b']) {
    const { body } = await request(`http://inside${path}`, { dispatcher: agent });
    assert.equal(await body.text(), path);
  }
  assert.equal(opened, 1);
  await agent.close();
  backend.close();
});

test('draining closes every session with its reason, one after the other', async () => {
  await using server = await startServer();
  const reasons: string[] = [];
  await using _client = hold(`ws://${server.host}`, {
    sockets: 3,
    backoff: { minMs: 5000, maxMs: 5000 },
    onDisconnected: error => void reasons.push(error.message),
  });
  await until('three sockets', () => server.tunnel.sessions().length === 3);
  await server.tunnel.drain({ overMs: 60 });
  await until('all to be gone', () => server.tunnel.sessions().length === 0 && reasons.length === 1);
  assert.match(reasons[0]!, /server is stopping \(1012\)/);
});

test('closing a client’s sessions says why at its end', async () => {
  await using server = await startServer();
  const reasons: string[] = [];
  await using _client = hold(`ws://${server.host}`, { onDisconnected: error => void reasons.push(error.message) });
  await server.tunnel.waitFor('c-one', { timeoutMs: 5000 });
  server.tunnel.closeClient('c-one', 'cluster deleted');
  await until('the reason to arrive', () => reasons.length > 0);
  assert.match(reasons[0]!, /cluster deleted/);
});
