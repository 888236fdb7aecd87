/** Forward proxies, real ones in process, and which of the environment's settings hold for a URL. */
import assert from 'node:assert/strict';
import { createServer as createHttp } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { hasReason } from '@drover/base';
import { KubeClient } from './client.ts';
import { proxyFromEnvironment } from './proxy.ts';
import { nodes } from './resource-ref.ts';
import { readExactly } from './tcp.ts';

async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', socket => sockets.add(socket));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

function pipeTo(port: number, socket: Socket): void {
  const onward = connect(port, '127.0.0.1');
  socket.pipe(onward).pipe(socket);
  for (const end of [socket, onward]) end.on('error', () => socket.destroy(onward.destroy() as never));
}

/** A SOCKS5 server that wants u:p and connects everything to `port`; reads byte by byte what comes in pieces. */
function socks(port: number, asked: string[]): Server {
  const serve = async (socket: Socket) => {
    const read = (length: number) => readExactly(socket, length);
    const [, methods] = await read(2);
    await read(methods!);
    socket.write(Buffer.from([5, 2]));
    const user = await read((await read(2))[1]!);
    const password = await read((await read(1))[0]!);
    if (`${user}:${password}` !== 'u:p') return socket.end(Buffer.from([1, 1]));
    socket.write(Buffer.from([1, 0]));
    const head = await read(4);
    const host = head[3] === 1 ? (await read(4)).join('.') : (await read((await read(1))[0]!)).toString();
    asked.push(`${host}:${(await read(2)).readUInt16BE()}`);
    if (host === 'refused') return socket.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0]));
    for (const byte of [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]) socket.write(Buffer.from([byte]));
    pipeTo(port, socket);
  };
  return createServer(socket => void serve(socket).catch(() => socket.destroy()));
}

test('requests go through CONNECT and SOCKS5 proxies, which look the name up', async t => {
  const target = await listen(
    t,
    createHttp((_request, response) => response.end('{"metadata":{"name":"a"}}')),
  );
  const asked: string[] = [];
  const http = createHttp().on('connect', (request, socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
    if (request.url === 'refused:80') return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    pipeTo(target, socket as Socket);
  });
  const proxies = [
    `http://u:p@127.0.0.1:${await listen(t, http)}`,
    `socks5://u:p@127.0.0.1:${await listen(t, socks(target, asked))}`,
  ];
  for (const proxyUrl of proxies) {
    await using client = new KubeClient({ server: 'http://kube.internal:6443', proxyUrl });
    assert.equal((await client.get(nodes, 'a')).metadata.name, 'a');
    await using refused = new KubeClient({ server: 'http://refused', proxyUrl });
    await assert.rejects(refused.get(nodes, 'a'), error => {
      assert.ok(hasReason(error, 'ServiceUnavailable'));
      assert.match(
        error.message,
        /proxy 127.0.0.1:\d+ does not connect to refused:80: (it answered 403|connection refused)/,
      );
      return true;
    });
  }
  const basic = `Basic ${Buffer.from('u:p').toString('base64')}`;
  assert.deepEqual(asked, [`kube.internal:6443 ${basic}`, `refused:80 ${basic}`, 'kube.internal:6443', 'refused:80']);
  await using wrong = new KubeClient({ server: 'http://kube.internal', proxyUrl: proxies[1]!.replace('u:p', 'u:x') });
  await assert.rejects(wrong.get(nodes, 'a'), /refuses the user name and password/);
});

const env = { HTTPS_PROXY: 'proxy:3128', NO_PROXY: 'internal,.corp,*.dev,10.0.0.0/8,192.168.1.5,host:8443' };
const cases: [string, boolean][] = [
  ['https://example.com', true],
  ['http://example.com', false],
  ['https://localhost:6443', false],
  ['https://127.0.0.1:6443', false],
  ['https://internal', false],
  ['https://a.internal', false],
  ['https://corp', true],
  ['https://a.corp', false],
  ['https://a.dev', false],
  ['https://10.1.2.3', false],
  ['https://11.1.2.3', true],
  ['https://192.168.1.5', false],
  ['https://host:8443', false],
  ['https://host:443', true],
  ['https://notinternal', true],
];
for (const [url, proxied] of cases) {
  test(`${url} is ${proxied ? '' : 'not '}proxied under NO_PROXY=${env.NO_PROXY}`, () => {
    assert.equal(proxyFromEnvironment(new URL(url), env), proxied ? 'http://proxy:3128' : undefined);
  });
}
