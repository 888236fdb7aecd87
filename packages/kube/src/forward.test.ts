/** Forwarding over real sockets: streaming both ways, cancellation both ways, answers that break off, upgrades, smuggling. */
import assert from 'node:assert/strict';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { after, test } from 'node:test';
import { StatusError, until } from '@drover/base';
import { forward } from './forward.ts';
import { ForwardTarget } from './forward-target.ts';
import { forwardUpgrade } from './forward-upgrade.ts';
import { endToEndHeaders } from './hop-by-hop.ts';

const cleanup: (() => unknown)[] = [];
after(async () => {
  for (const undo of cleanup.reverse()) await undo();
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanup.push(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface Proxy {
  readonly port: number;
  readonly errors: unknown[];
  readonly stop: AbortController;
  readonly target: ForwardTarget;
}

async function startProxy(targetPort: number): Promise<Proxy> {
  const target = new ForwardTarget({ server: `http://127.0.0.1:${targetPort}` }, 'the target');
  cleanup.push(() => target[Symbol.asyncDispose]());
  const errors: unknown[] = [];
  const stop = new AbortController();
  const optionsOf = (request: IncomingMessage) => ({
    path: request.url!,
    headers: endToEndHeaders(request.rawHeaders, name => name === 'host'),
    signals: [stop.signal],
  });
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    forward(request, response, { target, options: optionsOf(request) }).catch((error: unknown) => {
      errors.push(error);
      response.writeHead(error instanceof StatusError ? error.status : 500).end();
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    forwardUpgrade({ request, socket, head }, { target, options: optionsOf(request) }).catch((error: unknown) => {
      errors.push(error);
      socket.destroy();
    });
  });
  return { port: await listen(server), errors, stop, target };
}

async function rawExchange(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(text);
  let got = '';
  for await (const chunk of socket) got += String(chunk);
  return got;
}

test('a request and its answer pass whole, headers raw and repeated ones kept', async () => {
  const seen: string[][] = [];
  const port = await listen(
    createServer((request, response) => {
      seen.push(request.rawHeaders);
      request.pipe(response.writeHead(201, ['X-A', '1', 'X-A', '2', 'Connection', 'X-Hop', 'X-Hop', 'no']));
    }),
  );
  const proxy = await startProxy(port);
  const answer = await fetch(`http://127.0.0.1:${proxy.port}/a?b=%2F`, { method: 'POST', body: 'x'.repeat(300_000) });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get('x-a'), '1, 2');
  assert.equal(answer.headers.get('x-hop'), null);
  assert.equal((await answer.text()).length, 300_000);
  assert.ok(!seen[0]!.some(name => name.toLowerCase() === 'expect'));
});

test('the first bytes of a quiet stream, and even the head alone, are passed on at once', async () => {
  let upstream: ServerResponse | undefined;
  const port = await listen(
    createServer((_, response) => {
      upstream = response;
      response.flushHeaders();
    }),
  );
  const proxy = await startProxy(port);
  const answer = await fetch(`http://127.0.0.1:${proxy.port}/watch`);
  const reader = answer.body!.getReader();
  for (const line of ['one', 'two']) {
    upstream!.write(line);
    assert.equal(Buffer.from((await reader.read()).value!).toString(), line);
  }
  await reader.cancel();
  await until('the target to be told', () => upstream!.destroyed);
  await until('nothing to be running', () => proxy.target.running === 0);
});

test('an answer that breaks off upstream never looks complete', async () => {
  for (const head of ['Content-Length: 100\r\n', 'Transfer-Encoding: chunked\r\n']) {
    const port = await listen(
      createTcpServer(socket => {
        socket.on('error', () => {});
        socket.once('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n${head.startsWith('T') ? '5\r\nhello\r\n' : 'hello'}`);
          setTimeout(() => socket.destroy(), 30);
        });
      }),
    );
    const proxy = await startProxy(port);
    const answer = await fetch(`http://127.0.0.1:${proxy.port}/`);
    await assert.rejects(answer.text());
  }
});

test('a target that is not there is said so, and a signal cuts what runs', async () => {
  const proxy = await startProxy(1);
  assert.equal((await fetch(`http://127.0.0.1:${proxy.port}/`)).status, 503);
  assert.match(String(proxy.errors[0]), /nothing listens there/);

  const port = await listen(createServer((_, response) => response.flushHeaders()));
  const other = await startProxy(port);
  const answer = await fetch(`http://127.0.0.1:${other.port}/`);
  other.stop.abort(new Error('revoked'));
  await assert.rejects(answer.text());
});

test('a read on a connection that was just closing is asked again, a write is not', async () => {
  const seen: string[] = [];
  const port = await listen(
    createTcpServer(socket => {
      let first = true;
      socket.on('error', () => {});
      socket.on('data', chunk => {
        const method = /^[A-Z]+ /.exec(chunk.toString('latin1'))?.[0].trim();
        if (method) seen.push(method);
        if (!first) return socket.destroy();
        first = false;
        return socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    }),
  );
  const statuses = async (method: string, proxy: Proxy) => {
    const url = `http://127.0.0.1:${proxy.port}/`;
    const ask = async () => (await fetch(url, { method })).status;
    return [await ask(), await ask()];
  };
  assert.deepEqual(await statuses('GET', await startProxy(port)), [200, 200]);
  assert.deepEqual(await statuses('DELETE', await startProxy(port)), [200, 503]);
  assert.deepEqual(seen, ['GET', 'GET', 'GET', 'DELETE', 'DELETE']);
});

test('a slow reader holds the target back instead of filling memory', async () => {
  let written = 0;
  const port = await listen(
    createServer((_, response) => {
      const more = () => {
        while (written < 400 << 20) {
          written += 65_536;
          if (!response.write(Buffer.alloc(65_536))) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      response.on('error', () => {});
      more();
    }),
  );
  const proxy = await startProxy(port);
  const client = httpRequest({ port: proxy.port, host: '127.0.0.1' }).end();
  const answer = await new Promise<IncomingMessage>(resolve => client.once('response', resolve));
  let before = -1;
  const still = () => {
    const same = written === before;
    before = written;
    return same;
  };
  await until('the target to be held back', still, { everyMs: 200 });
  assert.ok(written < 40 << 20, `${written >> 20} MiB were taken`);
  answer.destroy();
});

test('bodies in chunks pass whole, trailers too, and what a parser could not write is refused', async () => {
  const seen: (string | undefined)[] = [];
  const port = await listen(
    createServer((request, response) => {
      seen.push(request.headers['transfer-encoding'] ?? request.headers['content-length']);
      response.writeHead(200, { Trailer: 'X-One, X-Two' });
      request.on('data', chunk => response.write(chunk));
      request.on('end', () => {
        response.addTrailers({ 'X-One': '1', 'X-Two': '2' });
        response.end();
      });
    }),
  );
  const proxy = await startProxy(port);
  const parts = async function* () {
    for (let i = 0; i < 50; i++) yield Buffer.alloc(i * 1000, 97);
  };
  const client = httpRequest({ port: proxy.port, host: '127.0.0.1', method: 'PUT' });
  Readable.from(parts()).pipe(client);
  const answer = await new Promise<IncomingMessage>(resolve => client.once('response', resolve));
  let got = 0;
  for await (const chunk of answer) got += (chunk as Buffer).length;
  assert.equal(got, (49 * 50 * 1000) / 2);
  assert.deepEqual(answer.trailers, { 'x-one': '1', 'x-two': '2' });
  await fetch(`http://127.0.0.1:${proxy.port}/`, { method: 'POST' });
  assert.deepEqual(seen, ['chunked', '0']);

  const request = { method: 'GET', headers: {}, on: () => undefined } as unknown as IncomingMessage;
  for (const [path, headers] of [
    ['/ HTTP/1.1\r\nX-A: 1\r\n\r\n', []],
    ['/a b', []],
    ['/', ['X-A', '1\r\nImpersonate-User: admin']],
    ['/', ['X-A: 1\r\nImpersonate-User', 'admin']],
  ] as const) {
    const response = Object.assign(new Writable(), { headersSent: false }) as unknown as ServerResponse;
    const options = { path, headers: [...headers] };
    await assert.rejects(forward(request, response, { target: proxy.target, options }), /can't be sent on/);
  }
  assert.equal(seen.length, 2);
});

test('an answer before the end of its request keeps the rest of that from being read as another one', async () => {
  const got: string[] = [];
  const port = await listen(
    createTcpServer(socket => {
      const at = got.push('') - 1;
      socket.on('error', () => {});
      socket.on('data', chunk => {
        got[at] += chunk.toString('latin1');
        socket.write('HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno');
      });
    }),
  );
  const proxy = await startProxy(port);
  const socket = connect(proxy.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n');
  const first = await new Promise<string>(resolve => socket.once('data', data => resolve(String(data))));
  assert.match(first, /413/);
  assert.equal((await fetch(`http://127.0.0.1:${proxy.port}/b`)).status, 413);
  socket.destroy();
  assert.deepEqual(
    got.map(text => /^.* HTTP/.exec(text)?.[0]),
    ['POST /a HTTP', 'GET /b HTTP'],
  );
});

test('an upgrade is spliced both ways, with what was sent early', async () => {
  const server = createServer();
  server.on('upgrade', (_: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Is: 1\r\n\r\nhi ');
    socket.write(head);
    socket.pipe(socket);
  });
  const proxy = await startProxy(await listen(server));
  const got = await rawExchange(
    proxy.port,
    'POST /exec HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nearly',
  );
  assert.match(got, /^HTTP\/1.1 101 .*\r\n[\s\S]*X-Is: 1\r\n[\s\S]*\r\n\r\nhi early$/);
});

test('nothing after the head reaches a target that does not upgrade: no second request under another name', async () => {
  let requests = 0;
  const port = await listen(
    createServer((_, response) => {
      requests++;
      response.writeHead(403, { 'Content-Type': 'application/json' }).end('{"no":1}');
    }),
  );
  const proxy = await startProxy(port);
  const got = await rawExchange(
    proxy.port,
    'GET /exec HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n' +
      'GET /secret HTTP/1.1\r\nHost: a\r\nImpersonate-User: admin\r\n\r\n',
  );
  assert.match(got, /^HTTP\/1.1 403 [\s\S]*Connection: close[\s\S]*\{"no":1\}/);
  assert.equal(requests, 1);
});

test('an upgrade to something that is no WebSocket or SPDY is refused', async () => {
  const port = await listen(createServer((_, response) => response.end()));
  const proxy = await startProxy(port);
  await rawExchange(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
  assert.match(String(proxy.errors[0]), /h2c/);
});
