/** The audit log over real sockets: what each level tells, of requests, streams and upgrades, and that bodies pass untouched. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { silentLog, until } from '@drover/base';
import { connectedAddress } from '../http/client-address.ts';
import type { Caller } from '../http/exchange.ts';
import { AuditLog, type AuditLogOptions } from './audit-log.ts';
import { noteForAudit } from './notes.ts';

// biome-ignore lint/suspicious/noExplicitAny: the lines are read as their readers do.
type Line = any;

const caller: Caller = {
  userId: 'u-1',
  username: 'carl',
  groups: ['system:authenticated'],
  extra: { username: ['carl'] },
  tokenId: 'token-abcde',
  via: 'bearer',
};

class Bench implements AsyncDisposable {
  readonly lines: Line[] = [];
  readonly audit: AuditLog;
  lost = 0;
  readonly #server: Server;

  constructor(
    answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
    options: Partial<AuditLogOptions> = {},
  ) {
    this.audit = new AuditLog({
      level: 3,
      addressOf: connectedAddress,
      log: silentLog,
      onLine: line => this.lines.push(JSON.parse(line)),
      onLost: count => {
        this.lost += count;
      },
      ...options,
    });
    this.#server = createServer((incoming, response) => {
      const observed = this.audit.request(incoming, response);
      if (incoming.headers.authorization) observed.caller = caller;
      void answer(incoming, response);
    });
    this.#server.on('upgrade', (incoming, socket) => {
      this.audit.upgrade(incoming, socket).caller = caller;
      if (incoming.url === '/told') noteForAudit(incoming, { refused: 403 });
      if (incoming.url === '/refused') socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
      else socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
      socket.on('data', (chunk: Buffer) => socket.end(`HTTP/1.1 999 ${chunk}`));
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<string> {
    const port = (this.#server.address() as AddressInfo | null)?.port ?? (await this.listen());
    const call = request({
      port,
      method,
      path,
      headers: { authorization: 'Bearer x', 'content-type': 'application/json', ...headers },
    });
    call.end(typeof body === 'string' ? body : JSON.stringify(body));
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    return text(answer);
  }

  async line(count = 1): Promise<Line> {
    await until(`${count} lines`, () => this.lines.length >= count, { timeoutMs: 30_000 });
    return this.lines[count - 1];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
    await this.audit[Symbol.asyncDispose]();
  }
}

const echo = async (incoming: IncomingMessage, response: ServerResponse) => {
  const body = await text(incoming);
  response.setHeader('x-own', 'a');
  response.writeHead(201, { 'content-type': 'application/json', 'set-cookie': 'R_SESS=canary' });
  response.write(body.slice(0, 5));
  response.end(body.slice(5));
};

test('who, what, when, from where, with which token and how it ended', async () => {
  await using bench = new Bench(echo, { level: 0 });
  await bench.ask('POST', '/v3/users?x=1', { username: 'a', password: 'canary' });
  const { auditID, requestTimestamp, responseTimestamp, ...rest } = await bench.line();
  assert.match(auditID, /^[0-9a-f-]{36}$/);
  assert.ok(Date.parse(requestTimestamp) <= Date.parse(responseTimestamp));
  assert.deepEqual(rest, {
    stage: 'ResponseComplete',
    requestURI: '/v3/users?x=1',
    user: { name: 'u-1', group: ['system:authenticated'], extra: { username: ['carl'] } },
    userLoginName: 'carl',
    tokenName: 'token-abcde',
    method: 'POST',
    remoteAddr: '127.0.0.1',
    responseCode: 201,
  });
});

for (const [level, expected] of [
  [0, [false, false, false]],
  [1, [true, false, false]],
  [2, [true, true, false]],
  [3, [true, true, true]],
] as const) {
  test(`level ${level} tells headers, request and response bodies: ${expected.join(', ')}`, async () => {
    await using bench = new Bench(echo, { level });
    const sent = { username: 'a', password: 'canary' };
    assert.deepEqual(JSON.parse(await bench.ask('POST', '/v3/users', sent)), sent);
    const line = await bench.line();
    assert.deepEqual(
      ['requestHeader', 'requestBody', 'responseBody'].map(key => key in line),
      expected,
    );
    if (level >= 1) {
      assert.deepEqual(line.requestHeader.authorization, ['[redacted]']);
      assert.deepEqual([line.responseHeader['x-own'], line.responseHeader['set-cookie']], [['a'], ['[redacted]']]);
    }
    if (level >= 2) assert.deepEqual(line.requestBody, { username: 'a', password: '[redacted]' });
    if (level >= 3) assert.deepEqual(line.responseBody, { username: 'a', password: '[redacted]' });
    assert.ok(!JSON.stringify(bench.lines).includes('canary'));
  });
}

test('nobody, with the name that he typed', async () => {
  await using bench = new Bench((incoming, response) => {
    noteForAudit(incoming, { loginName: 'carl' });
    response.writeHead(401).end();
  });
  await bench.ask(
    'POST',
    '/v3-public/localProviders/local?action=login',
    { password: 'canary' },
    { authorization: '' },
  );
  const line = await bench.line();
  assert.deepEqual(
    [line.user.name, line.userLoginName, line.responseCode, line.requestBody],
    ['system:unauthenticated', 'carl', 401, '[redacted]'],
  );
});

test('a packed answer is read, a large or half one is left out, what is no JSON too', async () => {
  await using bench = new Bench(
    async (incoming, response) => {
      const body = await text(incoming);
      response.writeHead(200, { 'content-type': incoming.url === '/text' ? 'text/plain' : 'application/json' });
      response.end(body);
    },
    { maxBodyBytes: 1000 },
  );
  await bench.ask('POST', '/large', { a: 'x'.repeat(2000), password: 'canary' });
  await bench.ask('POST', '/half', '{"password":"canary"');
  await bench.ask('POST', '/text', 'canary', { 'content-type': 'text/plain' });
  assert.equal((await bench.line(3)).requestBody, '[omitted: not JSON]');
  assert.deepEqual(
    bench.lines.map(line => line.responseBody),
    ['[omitted: 2028 bytes]', '[omitted: not whole JSON]', '[omitted: not JSON]'],
  );
  await using packing = new Bench((_, response) => {
    response.writeHead(200, ['Content-Type', 'application/json', 'Content-Encoding', 'gzip']);
    response.end(gzipSync('{"a":1,"token":"canary"}'));
  });
  await packing.ask('GET', '/v3/clusters');
  assert.deepEqual((await packing.line()).responseBody, { a: 1, token: '[redacted]' });
});

test('a watch is told when it begins, and again with the same id when it ends', async () => {
  let end = () => {};
  await using bench = new Bench(
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{}\n');
      end = () => response.end();
    },
    { level: 0 },
  );
  const asked = bench.ask('GET', '/k8s/clusters/c-1/api/v1/pods?watch=true');
  const begun = await bench.line();
  assert.deepEqual([begun.stage, begun.responseCode], ['ResponseStarted', 200]);
  end();
  await asked;
  const ended = await bench.line(2);
  assert.deepEqual([ended.stage, ended.auditID], ['ResponseComplete', begun.auditID]);
});

test('an upgrade is told when it begins and when it ends; one that is refused once', async () => {
  await using bench = new Bench(() => undefined, { level: 1 });
  const port = await bench.listen();
  const upgrade = async (path: string, say?: string) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n`);
    if (say) {
      await once(socket, 'data');
      socket.write(say);
    }
    return text(socket);
  };
  await upgrade('/k8s/clusters/c-1/api/v1/namespaces/n/pods/p/exec?command=sh', 'bye');
  const [begun, ended] = [await bench.line(), await bench.line(2)];
  assert.deepEqual([begun.stage, begun.responseCode, begun.upgrade], ['ResponseStarted', 101, 'x']);
  // What passes through later is no answer, whatever it looks like.
  assert.deepEqual([ended.stage, ended.responseCode], ['ResponseComplete', 101]);
  assert.equal(begun.auditID, ended.auditID);
  assert.equal(begun.tokenName, 'token-abcde');
  await upgrade('/refused');
  const refused = await bench.line(3);
  assert.deepEqual([refused.stage, refused.responseCode], ['ResponseComplete', 403]);
  // So is one that was opened to say why.
  await upgrade('/told', 'bye');
  const told = await bench.line(4);
  assert.deepEqual([told.stage, told.responseCode], ['ResponseComplete', 403]);
});

test('an answer that broke off says so', async () => {
  await using bench = new Bench((_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('a');
    setImmediate(() => response.destroy());
  });
  await assert.rejects(bench.ask('GET', '/v3'));
  assert.equal((await bench.line()).brokenOff, true);
});

test('a body is taken no faster for being observed, and none is begun that nobody reads', async () => {
  let paused: boolean | null | undefined;
  await using bench = new Bench((incoming, response) => {
    paused = incoming.readableFlowing;
    response.writeHead(413, { connection: 'close' }).end();
  });
  await bench.ask('POST', '/v3/users', { a: 1 });
  assert.equal(paused, null);
});

test('what all bodies may hold together is bounded, and all of it comes back', async () => {
  await using bench = new Bench(echo, { maxBodiesBytes: 64 });
  await bench.ask('POST', '/v3/users', { a: 'x'.repeat(200) });
  assert.equal((await bench.line()).requestBody, '[omitted: too many bodies at once]');
  await bench.ask('POST', '/v3/users', { a: 'b' });
  assert.deepEqual((await bench.line(2)).requestBody, { a: 'b' });
  await until('the room to be given back', () => bench.audit.roomBytes === 64);
});

test('more than may wait are lost and counted, and the rest is told', async () => {
  await using bench = new Bench(echo, { maxWaiting: 0 });
  await bench.ask('GET', '/v3');
  await until('the loss', () => bench.lost === 1);
  assert.equal(bench.lines.length, 0);
});
