/** Bodies from clients, over a real connection: bounded in size, depth and time, and a refusal reaches who sent them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { StatusError } from '@drover/base';
import fc from 'fast-check';
import { readBody } from './body.ts';

const maxBytes = 64 * 1024;

async function open(timeoutMs?: number) {
  const failures: unknown[] = [];
  const server = createServer(async (incoming, response) => {
    try {
      response.end(JSON.stringify({ value: (await readBody(incoming, maxBytes, timeoutMs)) ?? 'nothing' }));
    } catch (error) {
      failures.push(error);
      if (!(error instanceof StatusError)) response.writeHead(500).end(JSON.stringify({ message: String(error) }));
      else response.writeHead(error.status, { connection: 'close' }).end(JSON.stringify(error));
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const send = async (chunks: readonly (string | Buffer)[], headers: Record<string, string> = {}) => {
    const outgoing = request({ host: '127.0.0.1', port, method: 'POST', headers, agent: false });
    // What is sent on after the refusal breaks; the answer is what counts.
    outgoing.on('error', () => undefined);
    const answered = once(outgoing, 'response');
    for (const chunk of chunks) outgoing.write(chunk);
    outgoing.end();
    const [response] = await answered;
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return { status: response.statusCode as number, value: (JSON.parse(text) as { value?: unknown }).value };
  };
  const close = async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  };
  return { port, send, failures, [Symbol.asyncDispose]: close };
}

const code = (error: unknown) => (error as StatusError).details.code;

test('JSON is read, however it is cut into pieces, and an empty body is none', async () => {
  await using server = await open();
  const bytes = Buffer.from('{"a":"grün","b":[1,{}]}');
  const pieces = [...bytes].map(byte => Buffer.from([byte]));
  assert.deepEqual((await server.send(pieces)).value, { a: 'grün', b: [1, {}] });
  assert.equal((await server.send(['  \n'])).value, 'nothing');
});

test('YAML is read where the client says that it is', async () => {
  await using server = await open();
  const yaml = { 'content-type': 'application/yaml' };
  assert.deepEqual((await server.send(['a: 1\nb: [x]\n'], yaml)).value, { a: 1, b: ['x'] });
  assert.equal((await server.send(['a: 1\nb: [x]\n'])).status, 422);
});

test('aliases in YAML are not followed, so that a small text can’t become a huge value', async () => {
  await using server = await open();
  const bomb = 'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n';
  assert.equal((await server.send([bomb], { 'content-type': 'application/yaml' })).status, 422);
  assert.equal(code(server.failures[0]), 'InvalidBodyContent');
});

test('a body that says it is too large is refused unread; one that becomes too large is refused when it does', async () => {
  await using server = await open();
  const large = 'x'.repeat(maxBytes + 1);
  assert.equal((await server.send([large], { 'content-length': String(large.length) })).status, 413);
  assert.equal((await server.send([large.slice(0, 40_000), large.slice(0, 40_000)])).status, 413);
  const limit = JSON.stringify('x'.repeat(maxBytes - 2));
  assert.equal((await server.send([limit])).status, 200);
});

test('a deep body is refused before anything recurses into it', async () => {
  await using server = await open();
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  assert.equal((await server.send([nested(64)])).status, 200);
  assert.equal((await server.send([nested(65)])).status, 422);
  assert.equal((await server.send(['['.repeat(60_000)])).status, 422);
  assert.equal((await server.send(['{"a":'.repeat(10_000)])).status, 422);
  assert.equal((await server.send([nested(65)], { 'content-type': 'application/yaml' })).status, 422);
  assert.equal((await server.send(['['.repeat(60_000)], { 'content-type': 'application/yaml' })).status, 422);
  for (const failure of server.failures) assert.equal(code(failure), 'InvalidBodyContent');
});

test('a wide body takes no more stack than a narrow one', async () => {
  await using server = await open();
  for (const type of ['application/json', 'application/yaml']) {
    const wide = type.endsWith('json') ? 30_000 : 10_000;
    const body = `[${'1,'.repeat(wide)}1]`;
    assert.equal((await server.send([body], { 'content-type': type })).status, 200, type);
  }
});

test('brackets inside strings are no depth', async () => {
  await using server = await open();
  const text = `${'['.repeat(500)}"\\`;
  assert.equal((await server.send([JSON.stringify({ [text]: text })])).status, 200);
});

test('what is encoded or not UTF-8 is refused', async () => {
  await using server = await open();
  assert.equal((await server.send(['{}'], { 'content-encoding': 'gzip' })).status, 400);
  assert.equal((await server.send([Buffer.from([0x22, 0xff, 0x22])])).status, 422);
});

test('a body that comes too slowly is cut off', async () => {
  await using server = await open(30);
  const outgoing = request({ host: '127.0.0.1', port: server.port, method: 'POST', agent: false });
  const ended = new Promise<string>(resolve => {
    outgoing.on('error', () => resolve('cut'));
    outgoing.on('response', ({ statusCode }) => resolve(String(statusCode)));
  });
  outgoing.write('{"a":');
  assert.match(await ended, /^(cut|408|504)$/);
  assert.equal((server.failures[0] as StatusError).reason, 'Timeout');
});

test('no bytes make reading fail in any way but the refusals that are meant', async () => {
  await using server = await open();
  const types = fc.constantFrom('application/json', 'application/yaml', 'text/plain');
  const bodies = fc.oneof(fc.uint8Array({ maxLength: 300 }).map(Buffer.from), fc.json().map(Buffer.from));
  await fc.assert(
    fc.asyncProperty(bodies, types, async (body, type) => {
      const { status } = await server.send([body], { 'content-type': type });
      assert.ok([200, 422].includes(status), `${status}`);
    }),
    { numRuns: 150 },
  );
});
