/** KubeClient against an in-process HTTP server: what goes over the wire, and what each kind of answer becomes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { hasReason, isConflict, type Resource, Secret, StatusError } from '@drover/base';
import { KubeClient } from './client.ts';
import type { Connection } from './connection.ts';
import { nodes, pods } from './resource-ref.ts';

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  raw: string[];
  body: string;
}

/** A server on a free port that answers with `answer` and keeps what it saw. */
async function serve(t: TestContext, answer: (seen: Seen, response: ServerResponse, nth: number) => void) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method = '', url = '', headers, rawHeaders: raw } = request;
    seen.push({ method, url, headers, raw, body });
    answer(seen.at(-1)!, response, seen.length);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const client = (more: Partial<Connection> = {}, options = {}) => {
    const made = new KubeClient({ server: `http://127.0.0.1:${port}`, ...more }, options);
    t.after(() => made[Symbol.asyncDispose]());
    return made;
  };
  return { seen, client, port, server };
}

const ok = (_seen: Seen, response: ServerResponse) => response.end('{"metadata":{}}');

test('who asks over shared connections is named in each request, and can upgrade nothing', async t => {
  const { seen, client } = await serve(t, ok);
  const one = client({ impersonate: { user: 'system', groups: ['masters'] } });
  const other = one.as({ user: 'eve' });
  await other.list(pods);
  assert.deepEqual([seen[0]!.headers['impersonate-user'], seen[0]!.headers['impersonate-group']], ['eve', undefined]);
  await other.watch(pods)[Symbol.asyncIterator]().next();
  assert.equal(seen[1]!.headers['impersonate-user'], 'eve');
  await assert.rejects(other.upgrade('/exec'), /no upgraded ones/);
  await other[Symbol.asyncDispose]();
  await one.list(pods);
  assert.equal(seen[2]!.headers['impersonate-user'], 'system');
});

test('a request carries the prefix, query, token and impersonation, UTF-8 names included', async t => {
  const { seen, client, port } = await serve(t, ok);
  const impersonate = { user: 'zoë', groups: ['a', 'b'], extra: { 'example.com/Role': ['x'] }, uid: 'u1' };
  const one = client({ server: `http://127.0.0.1:${port}/k8s/c-1/`, token: new Secret('tok'), impersonate });
  await one.get(pods, 'web', { namespace: 'default' });
  const { method, url, headers, raw } = seen[0]!;
  assert.deepEqual([method, url], ['GET', '/k8s/c-1/api/v1/namespaces/default/pods/web']);
  assert.equal(headers.authorization, 'Bearer tok');
  assert.equal(Buffer.from(headers['impersonate-user'] as string, 'latin1').toString('utf8'), 'zoë');
  assert.deepEqual(
    raw.filter((_, index) => raw[index - 1]?.toLowerCase() === 'impersonate-group'),
    ['a', 'b'],
  );
  assert.equal(headers['impersonate-extra-example.com%2f%52ole'], 'x');
  assert.equal(headers['impersonate-uid'], 'u1');
});

test('a user name can not smuggle in a header', async t => {
  const { seen, client } = await serve(t, ok);
  const one = client({ impersonate: { user: 'eve\r\nImpersonate-Group: system:masters' } });
  await assert.rejects(one.get(nodes, 'a'), /user .* must not contain control characters/);
  await assert.rejects(client({ token: new Secret('a\nb') }).get(nodes, 'a'), error => {
    assert.ok(error instanceof StatusError && !error.message.includes('a\nb'));
    return true;
  });
  assert.equal(seen.length, 0);
});

test('a name can not lead out of its collection', async t => {
  const { seen, client } = await serve(t, ok);
  for (const name of ['..', '.', '', 'a/../../secrets', 'a%2fb']) {
    await assert.rejects(client().get(pods, name, { namespace: 'default' }), /metadata.name: must be a name/);
  }
  await assert.rejects(client().get(pods, 'web'), /metadata.namespace: is needed for pods/);
  assert.equal(seen.length, 0);
});

test('a Status answer becomes the same StatusError', async t => {
  const status = { kind: 'Status', reason: 'Conflict', message: 'changed', code: 409, details: { name: 'web' } };
  const { client } = await serve(t, (_, response) => response.writeHead(409).end(JSON.stringify(status)));
  const pod: Resource = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'default' } };
  await assert.rejects(client().update(pods, pod), error => {
    assert.ok(isConflict(error));
    assert.deepEqual([error.message, error.details.name], ['changed', 'web']);
    return true;
  });
});

test('a token answered with 401 is renewed once', async t => {
  const { seen, client } = await serve(t, ({ headers }, response) => {
    if (headers.authorization === 'Bearer new') response.end('{}');
    else response.writeHead(401).end();
  });
  const asked: unknown[] = [];
  const renewing = async (options?: { rejected?: Secret }) => {
    asked.push(options?.rejected?.reveal());
    return new Secret(options?.rejected ? 'new' : 'old');
  };
  await client({ token: renewing }).get(nodes, 'a');
  assert.deepEqual(asked, [undefined, 'old']);
  await assert.rejects(client({ token: async () => new Secret('bad') }).get(nodes, 'a'), error =>
    hasReason(error, 'Unauthorized'),
  );
  assert.equal(seen.length, 4);
});

test('429 with Retry-After is waited for; without it is thrown', async t => {
  const { seen, client } = await serve(t, ({ url }, response, nth) => {
    if (url.endsWith('/patient') && nth === 1) response.writeHead(429, { 'retry-after': '0.01' }).end();
    else if (url.endsWith('/patient')) response.end('{}');
    else response.writeHead(429).end('slow down');
  });
  await client().get(nodes, 'patient');
  assert.equal(seen.length, 2);
  await assert.rejects(client().get(nodes, 'impatient'), error => hasReason(error, 'TooManyRequests'));
  assert.equal(seen.length, 3);
});

test('a server that does not answer is a Timeout, one that is not there ServiceUnavailable, both naming it', async t => {
  const { client, port, server } = await serve(t, () => {});
  await assert.rejects(client({}, { timeoutMs: 50 }).get(nodes, 'a'), error => {
    assert.ok(hasReason(error, 'Timeout'));
    assert.match(error.message, /127\.0\.0\.1:\d+ did not answer GET \/api\/v1\/nodes\/a within 50 ms/);
    return true;
  });
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
  await assert.rejects(client().get(nodes, 'a'), error => {
    assert.ok(hasReason(error, 'ServiceUnavailable'));
    assert.match(error.message, new RegExp(`127.0.0.1:${port}: nothing listens there`));
    return true;
  });
});

test('an abort ends a request with its own reason', async t => {
  const { client } = await serve(t, () => {});
  const stop = new AbortController();
  const asked = client().get(nodes, 'a', { signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(asked, /enough/);
});

test('list gives items their kind and pages are followed', async t => {
  const { seen, client } = await serve(t, ({ url }, response) => {
    const second = url.includes('continue=next');
    const metadata = { resourceVersion: '7', ...(second ? {} : { continue: 'next' }) };
    response.end(JSON.stringify({ kind: 'NodeList', metadata, items: [{ metadata: { name: second ? 'b' : 'a' } }] }));
  });
  const all = await Array.fromAsync(client().listAll(nodes, { labelSelector: 'a=b', limit: 1 }));
  assert.deepEqual(all, [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } },
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'b' } },
  ]);
  assert.equal(seen[0]!.url, '/api/v1/nodes?limit=1&labelSelector=a%3Db');
});

test('watch events split anywhere are put together; an ERROR is thrown; a cut is ServiceUnavailable', async t => {
  const event = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'zoë' } } })}\n`);
  const { client } = await serve(t, ({ url }, response) => {
    const end = url.includes('gone')
      ? '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n'
      : '{"type":"MODIF';
    const bytes = Buffer.concat([event, event, Buffer.from(end)]);
    let at = 0;
    const step = () => {
      if (at >= bytes.length) return url.includes('gone') ? response.end() : response.destroy();
      response.write(bytes.subarray(at, (at += 7)), () => setImmediate(step));
    };
    step();
  });
  for (const [resourceVersion, reason] of [
    ['gone', 'Expired'],
    ['5', 'ServiceUnavailable'],
  ] as const) {
    const names: string[] = [];
    const watching = async () => {
      for await (const { object } of client().watch(nodes, { resourceVersion })) names.push(object.metadata.name);
    };
    await assert.rejects(watching(), error => hasReason(error, reason));
    assert.deepEqual(names, ['zoë', 'zoë']);
  }
});

test('a kept connection that the server drops under a read is no error; under a write it is', async t => {
  const { seen, client } = await serve(t, (_, response, nth) => {
    if (nth % 2 === 0) response.destroy();
    else response.end('{}');
  });
  const one = client();
  await one.get(nodes, 'a');
  await one.get(nodes, 'b');
  assert.equal(seen.length, 3);
  await assert.rejects(one.delete(nodes, 'a'), error => hasReason(error, 'ServiceUnavailable'));
  assert.equal(seen.length, 4);
});

test('everything is dialled through the dialer, upgrades too', async t => {
  const { client, port, server } = await serve(t, ok);
  server.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
  });
  const dialled: string[] = [];
  const dialer: Connection['dialer'] = async ({ host, port: wanted }) => {
    dialled.push(`${host}:${wanted}`);
    return connect(port, '127.0.0.1');
  };
  const one = client({ server: 'http://kubernetes.default:443', dialer });
  await one.get(nodes, 'a');
  await assert.rejects(one.upgrade('/api/v1/namespaces/d/pods/p/exec'), error => hasReason(error, 'Forbidden'));
  assert.deepEqual(dialled, ['kubernetes.default:443', 'kubernetes.default:443']);
});

test('an answer over the cap is refused without being kept', async t => {
  const { client } = await serve(t, (_, response) => response.end(`"${'x'.repeat(5000)}"`));
  await assert.rejects(client({}, { maxAnswerBytes: 1000 }).get(nodes, 'a'), /longer than 1000 bytes/);
});

test('a connection that was closed the moment it was there ends its requests, and so does giving up', async t => {
  const { client } = await serve(t, () => undefined);
  const closed = async () => {
    const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    stream.destroy();
    await once(stream, 'close');
    return stream;
  };
  const gone = client({ server: 'http://kubernetes', dialer: closed }, { timeoutMs: 20_000 });
  for (const method of ['GET', 'POST'] as const)
    await assert.rejects(gone.request(method, '/version'), /closed the connection/);
  const silent = async () => new Duplex({ read() {}, write() {}, destroy() {} });
  const stuck = client({ server: 'http://kubernetes', dialer: silent });
  await assert.rejects(stuck.request('GET', '/version', { timeoutMs: 50 }), /did not answer GET/);
});

test('a connection that only says its end has ended, whether it closes or not', async t => {
  const { client } = await serve(t, () => undefined);
  const ending = async () =>
    new Duplex({
      autoDestroy: false,
      read() {},
      write(_chunk, _encoding, done) {
        this.push(null);
        done();
      },
      destroy() {},
    });
  const gone = client({ server: 'http://kubernetes', dialer: ending });
  const stream = () => gone.stream('POST', '/version', { signal: t.signal });
  await assert.rejects(stream(), /closed it/);
});
