/** Requests through the agent to a target over real sockets: what passes, what is refused, and what happens when either side goes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { Duplex, duplexPair } from 'node:stream';
import { after, test } from 'node:test';
import { Secret, silentLog, until } from '@drover/base';
import { createApiServer } from './api-server.ts';

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

function agentFor(port: number) {
  const api = createApiServer({ server: `http://127.0.0.1:${port}`, token: new Secret('of-the-agent') }, silentLog);
  cleanup.push(() => api[Symbol.asyncDispose]());
  return api;
}

/** Sends pieces one after the other, each when the answer to the one before matches; gives all that came. */
async function talk(api: ReturnType<typeof agentFor>, steps: readonly (readonly [send: string, seen: RegExp])[]) {
  const port = await listen(createTcpServer(socket => api.serve(socket)));
  const socket = connect(port, '127.0.0.1');
  cleanup.push(() => socket.destroy());
  let got = '';
  let seen = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    got += text;
    seen += text;
  });
  for (const [send, wanted] of steps) {
    seen = '';
    socket.write(send, 'latin1');
    await until(String(wanted), () => wanted.test(seen));
  }
  return got;
}

interface Seen {
  readonly line: string;
  readonly headers: Record<string, unknown>;
  readonly body: string;
  readonly from: number;
}

/** A target that notes what reaches it and answers `n:` and the body's length. */
async function noting(): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('latin1')) body += chunk;
    const line = `${request.method} ${request.url}`;
    seen.push({ line, headers: { ...request.headers }, body, from: request.socket.remotePort! });
    response.end(`${seen.length}:${body.length};`);
  });
  return { port: await listen(server), seen };
}

const as = 'Impersonate-User: u-1\r\n';

test('requests on one stream go over one connection, with the agent’s credentials and nobody else’s', async () => {
  const { port, seen } = await noting();
  await talk(agentFor(port), [
    [`GET /a?b HTTP/1.1\r\nHost: kubernetes\r\nAuthorization: Bearer x\r\nCookie: a=b\r\n${as}\r\n`, /1:0;/],
    [`POST /c HTTP/1.1\r\n${as}Content-Length: 10\r\n\r\n12345`, /^$/],
    ['67890', /2:10;/],
    [`PUT /d HTTP/1.1\r\n${as}Content-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`, /3:300000;/],
    [`GET /e HTTP/1.1\r\n${as}\r\n`, /4:0;/],
  ]);
  assert.deepEqual(
    seen.map(one => one.line),
    ['GET /a?b', 'POST /c', 'PUT /d', 'GET /e'],
  );
  assert.equal(new Set(seen.map(one => one.from)).size, 1);
  for (const { headers } of seen) {
    assert.equal(headers['authorization'], 'Bearer of-the-agent');
    assert.equal(headers['impersonate-user'], 'u-1');
    assert.equal(headers['host'], `127.0.0.1:${port}`);
    assert.equal(headers['cookie'], undefined);
  }
});

test('what is not plain goes another way, and so does all that follows it', async () => {
  const { port, seen } = await noting();
  await talk(agentFor(port), [
    [`GET /a HTTP/1.1\r\nHost: a\r\n${as}\r\n`, /1:0;/],
    [
      `POST /b HTTP/1.1\r\nHost: a\r\n${as}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
      /Transfer-Encoding: chunked[\s\S]*2:3;|2:3;/,
    ],
    [`GET /c HTTP/1.1\r\nHost: a\r\n${as}\r\n`, /3:0;/],
    ['GET /d HTTP/1.1\r\nHo', /^$/],
  ]);
  assert.deepEqual(
    seen.map(one => [one.line, one.headers['authorization']]),
    ['GET /a', 'POST /b', 'GET /c'].map(line => [line, 'Bearer of-the-agent']),
  );
});

test('nothing is sent for whoever says nobody, or somebody who may not be', async () => {
  const { port, seen } = await noting();
  for (const headers of [
    '',
    'X-A: 1\r\n',
    'Impersonate-User: \r\n',
    'Impersonate-User: a\r\nImpersonate-User: b\r\n',
    'Impersonate-User: a\r\nImpersonate-Group: system:masters\r\n',
    'impersonate-user: system:kube-controller-manager\r\n',
    'Connection: Impersonate-User\r\nImpersonate-User: a\r\n',
  ]) {
    const got = await talk(agentFor(port), [[`GET / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`, /"kind":"Status"/]]);
    assert.match(got, /^HTTP\/1\.1 403 /, headers);
  }
  for (const line of [
    'X-A: 1\nImpersonate-User: a',
    'X-A: 1\r Impersonate-User: a',
    'X-A: 1\r\n Impersonate-User: a',
  ]) {
    const [stream, far] = duplexPair();
    agentFor(port).serve(stream);
    let got = '';
    far.on('data', chunk => (got += chunk));
    far.write(`GET / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`);
    await until('it to be cut or refused', () => stream.destroyed || got.startsWith('HTTP/1.1 403 '));
  }
  assert.deepEqual(seen, []);
});

test('a read on a connection that was just closing is asked again, a write is not', async () => {
  const asked: string[] = [];
  const port = await listen(
    createTcpServer(socket => {
      let first = true;
      socket.on('error', () => {});
      socket.on('data', chunk => {
        asked.push(/^[A-Z]+/.exec(chunk.toString('latin1'))![0]);
        if (!first) return socket.destroy();
        first = false;
        return socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    }),
  );
  const twice = (line: string, then: RegExp) =>
    talk(agentFor(port), [
      [`${line}\r\n${as}\r\n`, /ok$/],
      [`${line}\r\n${as}\r\n`, then],
    ]);
  await twice('GET / HTTP/1.1', /ok$/);
  await twice('DELETE / HTTP/1.1', /503 [\s\S]*closed the connection/);
  assert.deepEqual(asked, ['GET', 'GET', 'GET', 'DELETE', 'DELETE']);
});

test('an answer that breaks off ends the stream with an error, one that ends does not', async () => {
  for (const broken of [true, false]) {
    const port = await listen(
      createTcpServer(socket => {
        socket.on('error', () => {});
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\nhello', () => (broken ? socket.resetAndDestroy() : socket.end()));
        });
      }),
    );
    const [stream, far] = duplexPair();
    const errors: unknown[] = [];
    stream.on('error', error => errors.push(error));
    far.on('error', () => undefined).resume();
    agentFor(port).serve(stream);
    far.write(`GET / HTTP/1.1\r\n${as}\r\n`);
    await until('the stream to be over', () => stream.destroyed || stream.writableFinished);
    assert.equal(errors.length, broken ? 1 : 0);
  }
});

test('a target that is not there is said so', async () => {
  const got = await talk(agentFor(1), [[`GET / HTTP/1.1\r\n${as}\r\n`, /nothing listens there/]]);
  assert.match(got, /^HTTP\/1\.1 503 /);
});

test('a target that closes the connection the moment it is there is said so', async () => {
  let dials = 0;
  const dialer = async () => {
    dials++;
    const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    stream.destroy();
    await once(stream, 'close');
    return stream;
  };
  const api = createApiServer({ server: 'http://kubernetes', dialer }, silentLog);
  cleanup.push(() => api[Symbol.asyncDispose]());
  for (const method of ['GET', 'DELETE']) {
    const got = await talk(api, [[`${method} / HTTP/1.1\r\n${as}\r\n`, /closed the connection/]]);
    assert.match(got, /^HTTP\/1\.1 503 /);
  }
  assert.equal(dials, 3);
});

test('a slow reader holds the target back, and one that goes ends the request', async () => {
  let written = 0;
  let gone = false;
  const port = await listen(
    createServer((_: IncomingMessage, response: ServerResponse) => {
      response.on('close', () => (gone = true)).on('error', () => {});
      const more = () => {
        while (!response.destroyed && written < 400 << 20) {
          written += 65_536;
          if (!response.write(Buffer.alloc(65_536))) {
            response.once('drain', more);
            return;
          }
        }
      };
      more();
    }),
  );
  const [stream, far]: Duplex[] = duplexPair();
  agentFor(port).serve(stream!);
  far!.write(`GET / HTTP/1.1\r\n${as}\r\n`);
  await once(far!, 'readable');
  let before = -1;
  await until('the target to be held back', () => before === (before = written) && written > 0, { everyMs: 200 });
  assert.ok(written < 40 << 20, `${written >> 20} MiB were taken`);
  stream!.destroy();
  await until('the target to be told', () => gone);
});

test('a slow target holds the stream back', async () => {
  let held: Socket | undefined;
  const port = await listen(createTcpServer(socket => void (held = socket.pause())));
  const [stream, far]: Duplex[] = duplexPair();
  agentFor(port).serve(stream!);
  far!.write(`PUT / HTTP/1.1\r\nContent-Length: ${400 << 20}\r\n${as}\r\n`);
  let written = 0;
  const chunk = Buffer.alloc(65_536);
  const more = () => {
    while (written < 400 << 20 && far!.write(chunk)) written += chunk.length;
  };
  far!.on('drain', more);
  more();
  let before = -1;
  await until('the stream to be held back', () => before === (before = written) && held !== undefined, {
    everyMs: 200,
  });
  assert.ok(written < 40 << 20, `${written >> 20} MiB were taken`);
  held!.destroy();
});
