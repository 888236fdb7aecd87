/** Who may read the metrics: admins and whoever shows the token that the data directory holds, and nobody for being near. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Secret } from '@drover/base';
import type { Caller, Exchange } from './exchange.ts';
import { createMetrics, metricsRoute } from './metrics.ts';
import { openMetricsToken } from './metrics-token.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-metrics-'));
});
after(() => rm(dir, { recursive: true, force: true }));

const metrics = createMetrics();
const route = metricsRoute(metrics, {
  access: () => ({ isAdmin: ({ userId }) => userId === 'u-admin' }),
  token: new Secret('a-token-of-some-length'),
});

async function read(headers: Record<string, string>, userId?: string): Promise<string> {
  let answered = '';
  const request = { headers, socket: { remoteAddress: '127.0.0.1' } } as unknown as IncomingMessage;
  const response = {
    writeHead: () => response,
    end: (text: string) => (answered = text),
    req: { method: 'GET' },
  } as unknown as ServerResponse;
  const caller = userId === undefined ? undefined : ({ userId } as Caller);
  await route.handle({ request, response } as Exchange, caller);
  return answered;
}

test('the token and admins are let in', async () => {
  assert.match(await read({ authorization: 'Bearer a-token-of-some-length' }), /^# TYPE /m);
  assert.match(await read({}, 'u-admin'), /^# TYPE /m);
});

for (const [what, headers, userId] of [
  ['nobody, from this very machine', {}],
  ['a user', {}, 'u-1'],
  ['another token', { authorization: 'Bearer a-token-of-some-lengtH' }],
  ['a beginning of it', { authorization: 'Bearer a-token' }],
] as [string, Record<string, string>, string?][]) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(read(headers, userId), /metrics are for admins/);
  });
}

test('the token is made once, its owner’s alone, and taken as it was put there', async () => {
  const made = await openMetricsToken(dir);
  assert.equal((await openMetricsToken(dir)).reveal(), made.reveal());
  assert.equal((await stat(join(dir, 'metrics.token'))).mode & 0o777, 0o600);
  assert.ok((await readFile(join(dir, 'metrics.token'), 'utf8')).length >= 40);
  await writeFile(join(dir, 'metrics.token'), 'one of somebody’s own\n');
  await assert.rejects(openMetricsToken(dir), /metrics\.token must hold a token of 20/);
  await writeFile(join(dir, 'metrics.token'), 'one-of-somebodys-own\n');
  assert.equal((await openMetricsToken(dir)).reveal(), 'one-of-somebodys-own');
});
