/** The audit log as it is read: by admins alone, newest first, by each filter, in pages, and without what makes lines long. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from '../api/fixture.ts';
import { callerOf } from '../auth/fixture.ts';
import type { Caller, Exchange } from '../http/exchange.ts';
import type { AuditConfig } from './audit-config.ts';
import { auditRoute } from './audit-route.ts';

let api: TestApi;
let dir: string;
let config: AuditConfig;
const line = (minute: number, method: string, requestURI: string, more: object = {}) => ({
  auditID: `id-${minute}`,
  stage: 'ResponseComplete',
  requestURI,
  user: { name: 'u-ada' },
  userLoginName: 'ada',
  method,
  responseCode: 200,
  requestTimestamp: `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`,
  responseTimestamp: `2026-01-01T00:${String(minute).padStart(2, '0')}:01.000Z`,
  ...more,
});

before(async () => {
  api = await openTestApi();
  dir = await mkdtemp(join(tmpdir(), 'drover-audit-route-'));
  const path = join(dir, 'audit.log');
  const lines = [
    line(1, 'POST', '/v3/users', { requestBody: { username: 'ben' }, requestHeader: { host: ['a'] } }),
    line(2, 'GET', '/v3/users'),
    line(3, 'DELETE', '/k8s/clusters/c-1/api/v1/namespaces/shop/pods/web', {
      responseCode: 403,
      user: { name: 'u-ben' },
      userLoginName: 'ben',
    }),
    line(4, 'GET', '/k8s/clusters/c-1/api/v1/namespaces/shop/pods/web/exec', {
      stage: 'ResponseStarted',
      upgrade: 'websocket',
    }),
    { stage: 'RecordsDropped', dropped: 3 },
    line(4, 'GET', '/k8s/clusters/c-1/api/v1/namespaces/shop/pods/web/exec', { upgrade: 'websocket' }),
    line(5, 'PUT', '/v3/settings/server-url', { responseCode: 503 }),
  ];
  await writeFile(path, lines.map(each => `${JSON.stringify(each)}\n`).join(''));
  config = { level: 3, file: { path, maxBytes: 1e9, maxAgeMs: 0, maxBackups: 0 } };
});
after(async () => {
  await api[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: answers are read as they are.
type Answer = any;

async function read(query: string, caller: Caller = callerOf(api.adminId), audit: AuditConfig | undefined = config) {
  let answer: Answer;
  const response = { destroyed: false, writeHead: () => response, end: (text: string) => (answer = JSON.parse(text)) };
  const exchange = {
    request: { method: 'GET' } as IncomingMessage,
    response: response as unknown as ServerResponse,
    path: '/v1-audit',
    query: new URLSearchParams(query),
  };
  await auditRoute(api.deps, audit).handle(exchange as Exchange, caller);
  return answer;
}
const idsOf = async (query: string) => (await read(query)).data.map(({ auditID }: Answer) => auditID);

test('an administrator reads it, newest first, and nothing is told twice', async () => {
  assert.deepEqual(await idsOf(''), ['id-5', 'id-4', 'id-3', 'id-2', 'id-1']);
});

test('nobody else reads it: the refusal says why, and who may change that', async () => {
  const ben = await api.makeUser('ben');
  for (const caller of [callerOf(ben.id), callerOf(api.adminId, { clusterId: 'c-1' })])
    for (const query of ['', 'at=1-0'])
      await assert.rejects(read(query, caller), {
        status: 403,
        message: /may not read the audit log: .* for administrators; .* granted by /,
      });
});

for (const [query, expected] of [
  ['user=BEN', ['id-3']],
  ['user=ada&verb=change', ['id-5', 'id-4', 'id-1']],
  ['verb=delete', ['id-3']],
  ['resource=users', ['id-2', 'id-1']],
  ['resource=pods', ['id-4', 'id-3']],
  ['resource=pods/exec', ['id-4']],
  ['cluster=c-1', ['id-4', 'id-3']],
  ['outcome=refused', ['id-3']],
  ['outcome=failed', ['id-5']],
  ['since=2026-01-01T00:03:00Z&until=2026-01-01T00:04:30Z', ['id-4', 'id-3']],
] as const) {
  test(`filtered: ${query}`, async () => assert.deepEqual(await idsOf(query), expected));
}

test('it comes in pages; what began on one and ended on another is in both, under its id', async () => {
  const found: string[] = [];
  let next: string | null = '';
  for (let pages = 0; next !== null && pages < 10; pages++) {
    const page: Answer = await read(`limit=2${next && `&before=${next}`}`);
    found.push(...page.data.map(({ auditID }: Answer) => auditID));
    next = page.next;
  }
  assert.deepEqual([...new Set(found)], ['id-5', 'id-4', 'id-3', 'id-2', 'id-1']);
});

test('bodies and headers are told of one line alone', async () => {
  const [listed] = (await read('resource=users&verb=create')).data;
  assert.deepEqual(
    [listed.verb, listed.resource, listed.requestBody, listed.requestHeader],
    ['create', 'users', undefined, undefined],
  );
  assert.deepEqual((await read(`at=${listed.at}`)).requestBody, { username: 'ben' });
});

test('what is asked wrongly is named; where there is no file it says so', async () => {
  for (const [query, field] of [
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['since=yesterday', 'since'],
    ['outcome=good', 'outcome'],
    ['before=x', 'before'],
    ['at=../x', 'at'],
  ] as const)
    await assert.rejects(read(query), { status: 422, message: new RegExp(`^${field}: `) });
  await assert.rejects(read('at=1-1'), { status: 404 });
  const file = { ...config.file!, path: '-' };
  assert.equal((await read('', undefined, { level: 0, file })).state, 'elsewhere');
  const off = { request: { method: 'GET' }, response: {}, path: '/v1-audit', query: new URLSearchParams() };
  let told = '';
  Object.assign(off.response, { writeHead: () => off.response, end: (text: string) => (told = text) });
  await auditRoute(api.deps, undefined).handle(off as unknown as Exchange, callerOf(api.adminId));
  assert.equal(JSON.parse(told).state, 'off');
});
