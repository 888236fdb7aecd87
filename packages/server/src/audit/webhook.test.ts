/** The webhook against a real server: lines and token arrive, refusals are told apart, redirects are not followed. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { isTerminal } from '@drover/base';
import { Webhook } from './webhook.ts';

interface Taken {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function receiver(status: () => number) {
  const taken: Taken[] = [];
  const server = createServer(async (request, response) => {
    taken.push({ path: request.url, headers: request.headers, body: await text(request) });
    response.writeHead(status(), { location: '/elsewhere' }).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    taken,
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/in`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

const never = () => new AbortController().signal;

test('the lines arrive with the token as it is now', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'drover-webhook-'));
  const tokenFile = join(dir, 'token');
  await using to = await receiver(() => 200);
  using webhook = new Webhook({ url: to.url, tokenFile });
  await writeFile(tokenFile, 'first\n');
  await webhook.post(['{"a":1}\n', '{"a":2}\n'], never());
  await writeFile(tokenFile, 'second\n');
  await webhook.post(['{"a":3}\n'], never());
  assert.deepEqual(
    to.taken.map(({ body, headers }) => [body, headers.authorization, headers['content-type']]),
    [
      ['{"a":1}\n{"a":2}\n', 'Bearer first', 'application/x-ndjson'],
      ['{"a":3}\n', 'Bearer second', 'application/x-ndjson'],
    ],
  );
  await rm(dir, { recursive: true });
});

for (const [status, expected] of [
  [400, true],
  [413, true],
  [401, false],
  [429, false],
  [503, false],
  [307, false],
] as const) {
  test(`an answer of ${status} ${expected ? 'drops the batch' : 'is tried again'}, and goes nowhere else`, async () => {
    await using to = await receiver(() => status);
    using webhook = new Webhook({ url: to.url });
    await assert.rejects(webhook.post(['x\n'], never()), (error: Error) => {
      assert.equal(isTerminal(error), expected);
      return error.message.includes(String(status));
    });
    assert.deepEqual(
      to.taken.map(({ path }) => path),
      ['/in'],
    );
  });
}

test('one that never answers is given up after its time, and one that is not there at once', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(silent.address() as AddressInfo).port}/`);
  using webhook = new Webhook({ url, timeoutMs: 100 });
  await assert.rejects(webhook.post(['x\n'], never()), /can't be reached/);
  silent.closeAllConnections();
  await new Promise(resolve => silent.close(resolve));
  await assert.rejects(webhook.post(['x\n'], never()), /can't be reached.*ECONNREFUSED/);
});
