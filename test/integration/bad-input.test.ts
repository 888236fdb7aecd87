/** Clients that ask for what is not there, in shapes that nothing has, again and again, or do not read: a clear answer, and memory that stays. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { until } from '@drover/base';
import { openTestApi, type TestApi } from '../../packages/server/src/api/fixture.ts';

const count = 10_000;
let api: TestApi;
before(async () => {
  api = await openTestApi();
  for (let from = 0; from < count; from += 500) {
    const some = Array.from({ length: 500 }, (_, nth) => ({
      metadata: { name: `run-${String(from + nth).padStart(5, '0')}` },
      message: 'x'.repeat(1000),
    }));
    await Promise.all(some.map(one => api.resources.create('rancherUserNotification', one)));
  }
});
after(() => api[Symbol.asyncDispose]());

test('ten thousand pages are walked one by one, and what changes meanwhile is seen', async () => {
  const seen = new Set<string>();
  let next: string | undefined = '/v3/rancherusernotifications?limit=1';
  for (let page = 0; next !== undefined; page++) {
    const { data, pagination } = await api.want(200, 'GET', next);
    seen.add(data[0].id);
    next = pagination.next?.slice(api.url.length);
    if (page === 5000) {
      await api.want(204, 'DELETE', '/v3/rancherusernotifications/run-09999');
      await api.want(201, 'POST', '/v3/rancherusernotifications', { body: { name: 'run-09998-a', message: 'new' } });
    }
  }
  assert.equal(seen.size, count);
  assert.ok(seen.has('run-09998-a') && !seen.has('run-09999'));
});

test('a marker, a limit or a page that makes no sense begins anew', async () => {
  for (const query of [
    'marker=nowhere',
    'limit=x',
    'limit=-7',
    'limit=1e9',
    'limit=0',
    'marker=',
    'sort=nonsense&order=up',
  ]) {
    const { data, pagination } = await api.want(200, 'GET', `/v3/rancherusernotifications?${query}`);
    assert.equal(data[0].id, 'run-00000', query);
    assert.ok(pagination.limit >= 1 && pagination.limit <= 10_000, query);
  }
});

test('ids of no shape that the type has are not there, in the same words', async () => {
  const ids = [
    'a:b:c',
    ':',
    '%2F',
    'a%2Fb',
    '%00',
    '..%2f',
    'A',
    'x'.repeat(5000),
    '%F0%9F%98%80',
    'constructor',
    '__proto__',
  ];
  for (const plural of [
    'clusters',
    'projects',
    'users',
    'nodes',
    'settings',
    'cloudcredentials',
    'preferences',
    'principals',
  ]) {
    for (const id of ids) {
      for (const [method, body] of [['GET'], ['PUT', {}], ['DELETE']] as const) {
        if (plural === 'principals' && method !== 'GET') continue;
        const answer = await api.ask(method, `/v3/${plural}/${id}`, { body });
        assert.ok([400, 404, 405].includes(answer.status), `${method} ${plural}/${id.slice(0, 20)}: ${answer.status}`);
        assert.equal(answer.body.type, 'error');
      }
    }
  }
});

test('types, versions, actions, links and methods that there are none of are told apart', async () => {
  const wrong: readonly (readonly [method: string, path: string, status: number, code: string])[] = [
    ['GET', '/v3/nonsense', 404, 'NotFound'],
    ['GET', '/v3/constructor', 404, 'NotFound'],
    ['GET', '/v4/clusters', 404, 'NotFound'],
    ['GET', '/v3/clusters/a/b/c/d', 404, 'NotFound'],
    ['POST', '/v3/clusters?action=nonsense', 422, 'InvalidAction'],
    ['POST', '/v3/clusters?action=constructor', 422, 'InvalidAction'],
    ['POST', '/v3/settings', 405, 'MethodNotAllow'],
    ['PUT', '/v3/clusters', 405, 'MethodNotAllow'],
    ['TRACE', '/v3/clusters', 405, 'MethodNotAllow'],
    ['GET', '/v3/clusters?_method=BREW', 405, 'MethodNotAllow'],
  ];
  for (const [method, path, status, code] of wrong) {
    const answer = await api.ask(method, path, method === 'POST' ? { body: {} } : {});
    assert.deepEqual([answer.status, answer.body.code], [status, code], `${method} ${path}`);
  }
});

test('whoever asks for much and reads none of it costs a piece of it, and holds up nobody', async () => {
  await api.want(200, 'GET', '/v3/rancherusernotifications?limit=10000');
  const external = () => process.memoryUsage().external + process.memoryUsage().arrayBuffers;
  const before = external();
  const stuck = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = connect({ host: '127.0.0.1', port: api.port, servername: 'localhost', ca: api.ca });
      await once(socket, 'secureConnect');
      socket.on('error', () => undefined);
      socket.pause();
      socket.write(
        `GET /v3/rancherusernotifications?limit=10000 HTTP/1.1\r\nhost: localhost:${api.port}\r\nauthorization: Bearer ${api.admin}\r\n\r\n`,
      );
      return socket;
    }),
  );
  // Each answer has more than ten megabytes: as many copies as there are readers would be two hundred.
  await until(
    'all to be answered as far as they take it',
    async () => {
      const { body } = await api.ask('GET', '/v3/settings/ui-pl');
      return body.id === 'ui-pl' && stuck.every(socket => socket.bytesRead > 1000);
    },
    { timeoutMs: 60_000 },
  );
  const grown = external() - before;
  assert.ok(grown < 100 << 20, `${Math.round(grown / 1e6)} MB more`);
  for (const socket of stuck) socket.destroy();
});
