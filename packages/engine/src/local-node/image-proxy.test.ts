/** The way of the local node to registries: for its runtime alone, and never to what this machine keeps to itself. */
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { dialTcp } from '@drover/kube';
import { isOwn, openImageProxy } from './image-proxy.ts';

async function listen(onConnection: (socket: Socket) => void) {
  const server = createServer(onConnection);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, [Symbol.dispose]: () => void server.close() };
}

function ask(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let got = '';
    socket.setEncoding('utf8').on('data', more => (got += more));
    socket.on('error', reject);
    socket.on('close', () => resolve(got));
  });
}

test('whoever knows the password reaches what he names, and nobody else does', async () => {
  using registry = await listen(socket => socket.end('a registry'));
  const asked: string[] = [];
  using proxy = openImageProxy((address, signal) => {
    asked.push(`${address.host}:${address.port}`);
    return dialTcp({ host: '127.0.0.1', port: registry.port }, signal);
  });
  using entry = await listen(socket => proxy.take(socket));
  const basic = (password: string) => Buffer.from(`${proxy.user}:${password}`).toString('base64');
  const head = (login: string) => `CONNECT registry.test:5000 HTTP/1.1\r\nhost: x\r\n${login}\r\n`;
  const login = (password: string) => `proxy-authorization: Basic ${basic(password)}\r\n`;

  assert.match(await ask(entry.port, head(login(proxy.password.reveal()))), /^HTTP\/1.1 200 .*\r\n\r\na registry$/s);
  assert.deepEqual(asked, ['registry.test:5000']);
  for (const other of ['', login('guess'), login('')])
    assert.match(await ask(entry.port, head(other)), /^HTTP\/1.1 407 /);
  assert.equal(asked.length, 1);
});

test('what listens on this machine alone is reached under no name', async () => {
  for (const address of [
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '169.254.169.254',
    '::1',
    '::',
    'fe80::1',
    '::ffff:127.0.0.1',
  ])
    assert.ok(isOwn(address), address);
  for (const address of ['10.0.0.1', '192.0.2.7', '2001:db8::1']) assert.ok(!isOwn(address), address);

  using here = await listen(socket => socket.end('secret'));
  using proxy = openImageProxy();
  using entry = await listen(socket => proxy.take(socket));
  const login = Buffer.from(`${proxy.user}:${proxy.password.reveal()}`).toString('base64');
  for (const name of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]']) {
    const got = await ask(
      entry.port,
      `CONNECT ${name}:${here.port} HTTP/1.1\r\nhost: x\r\nproxy-authorization: Basic ${login}\r\n\r\n`,
    );
    assert.match(got, /^HTTP\/1.1 502 .*is this machine itself/);
  }
});
