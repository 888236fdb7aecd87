/** What is wrong with a provider that people are sent to, each told apart and in time, against servers that are so. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { StatusError } from '@drover/base';
import { type CertPair, issueCert, makeCa } from '@drover/engine';
import { providerFetch } from './provider-fetch.ts';

let ca: CertPair;
let port: number;
let endedPort: number;
let silentPort: number;
const servers: Server[] = [];
const sockets = new Set<Socket>();

async function listen(server: Server): Promise<number> {
  servers.push(server.listen(0, '127.0.0.1'));
  server.on('connection', socket => void sockets.add(socket.on('error', () => {})));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function httpsFor(days: number, answer: RequestListener): Promise<number> {
  const names = { commonName: 'localhost', dnsNames: ['localhost'], ips: ['127.0.0.1'] };
  const { cert, key } = await issueCert(ca, { ...names, usages: ['server'], days });
  return listen(createHttps({ cert, key: key.reveal() }, answer));
}

before(async () => {
  ca = await makeCa('provider');
  const answer: RequestListener = ({ url }, response) => {
    if (url === '/stalls') return void response.writeHead(200).write('{');
    if (url === '/away') return void response.writeHead(302, { location: '/elsewhere' }).end();
    response.end(url === '/long' ? 'x'.repeat(3000) : '{}');
  };
  port = await httpsFor(1, answer);
  endedPort = await httpsFor(-0.002, answer);
  silentPort = await listen(createServer());
});
after(() => {
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
});

const ask = (at: number, path = '/', more: object = {}) =>
  providerFetch({ provider: 'genericoidc', ca: ca.cert, timeoutMs: 400, maxBytes: 2000, ...more })(
    `https://localhost:${at}${path}`,
  );

test('what answers as it should is answered with', async () => {
  assert.equal(await (await ask(port)).text(), '{}');
});

test('a redirect is shown and not followed', async () => {
  const answer = await ask(port, '/away');
  assert.deepEqual([answer.status, answer.headers.get('location')], [302, '/elsewhere']);
});

const free = async () => {
  const server = createServer();
  const at = await listen(server);
  await new Promise(resolve => server.close(resolve));
  return at;
};

for (const [name, at, why, path, more] of [
  ['is down', free, /ECONNREFUSED/],
  ['takes connections and says nothing', () => silentPort, /no answer within 0\.4 s/],
  ['stops in the midst of its answer', () => port, /no answer within 0\.4 s/, '/stalls'],
  ['has a certificate that is over', () => endedPort, /certificate has expired/],
  ['has a certificate of a CA that is not trusted', () => port, /certificate/, '/', { ca: undefined }],
  ['says more than anybody reads', () => port, /more than 2000 bytes/, '/long'],
] as [string, () => number | Promise<number>, RegExp, string?, object?][])
  test(`a provider that ${name} is told of by its name and host, in time`, async () => {
    const target = await at();
    const began = performance.now();
    await assert.rejects(ask(target, path, more), error => {
      assert.ok(error instanceof StatusError);
      assert.equal(error.status, 503);
      assert.match(error.message, new RegExp(`"genericoidc" can't be reached at localhost:${target}: `));
      assert.match(error.message, why);
      return true;
    });
    assert.ok(performance.now() - began < 5000);
  });
