/** The outbound proxy against real HTTPS servers on addresses of this machine: who may ask what, and what goes there with whose credentials. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import { issueCert, makeCa } from '@drover/engine';
import { openTestApi, type TestApi } from '../api/fixture.ts';

interface Seen {
  readonly server: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

let api: TestApi;
let port: number;
let names: Record<string, string[][]>;
let seen: Seen[] = [];
let answerWith: (request: IncomingMessage, response: ServerResponse) => void;
const servers: Server[] = [];
let mia: { readonly id: string; readonly token: string };

/** Of each name what it resolves to, the first time, the second, …; the last answer stays. */
const resolved: Record<string, number> = {};
const resolve = async (name: string) => {
  const nth = (resolved[name] = (resolved[name] ?? 0) + 1);
  const all = names[name];
  if (!all) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
  return all[Math.min(nth, all.length) - 1]!.map(address => ({ address, family: address.includes(':') ? 6 : 4 }));
};

async function serve(address: string, tls: { cert: string; key: string }, at = 0): Promise<number> {
  const server = createServer(tls, async (request, response) => {
    const body = await text(request);
    seen.push({ server: address, url: request.url!, headers: request.headers, body });
    answerWith(request, response);
  });
  servers.push(server);
  await new Promise<void>(done => server.listen(at, address, done));
  return (server.address() as AddressInfo).port;
}

before(async () => {
  const ca = await makeCa('outbound');
  const { cert, key } = await issueCert(ca, {
    commonName: 'api.example.com',
    dnsNames: ['api.example.com', 'other.example.com', 'rebind.example.com', 'inside.example.com'],
    ips: ['127.0.0.2'],
    usages: ['server'],
  });
  const tls = { cert, key: key.reveal() };
  // The one that an admin has opened, and what stands for all that is near the server.
  port = await serve('127.0.0.2', tls);
  await serve('127.0.0.1', tls, port);
  api = await openTestApi({ outbound: { resolve, ca: ca.cert, timeoutMs: 5000, maxAnswerBytes: 100_000 } });
  const set = (name: string, value: string) => api.want(200, 'PUT', `/v3/settings/${name}`, { body: { value } });
  await set('outbound-networks', '127.0.0.2/32');
  await set(
    'whitelist-domain',
    `other.example.com:${port},rebind.example.com:${port},inside.example.com:${port},127.0.0.1:${port},[::1]:${port}`,
  );
  const whitelistDomains = [`api.example.com:${port}`];
  for (const driver of ['digitalocean', 'amazonec2', 'exoscale'])
    await api.want(200, 'PUT', `/v3/nodedrivers/${driver}`, { body: { whitelistDomains } });
  mia = await api.makeUser('mia');
});
after(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await api[Symbol.asyncDispose]();
});
beforeEach(() => {
  seen = [];
  for (const name of Object.keys(resolved)) delete resolved[name];
  names = {
    'api.example.com': [['127.0.0.2']],
    'other.example.com': [['127.0.0.2']],
    'rebind.example.com': [['127.0.0.2'], ['127.0.0.1']],
    'inside.example.com': [['127.0.0.1']],
  };
  answerWith = (_, response) => response.setHeader('content-type', 'application/json').end('{"ok":true}');
});

const at = (host: string, path = '/v2/sizes?page=1') => `/meta/proxy/https:/${host}:${port}${path}`;
const get = (path: string, headers: Record<string, string> = {}, as = mia.token) =>
  api.ask('GET', path, { as, headers });

const makeCredential = async (as = mia.token) =>
  (
    await api.want(201, 'POST', '/v3/cloudcredentials', {
      as,
      body: { name: 'mine', digitaloceancredentialConfig: { accessToken: 'secret-of-mia' } },
    })
  ).id as string;
const bearer = (id: string) => ({ 'x-api-cattleauth-header': `Bearer credID=${id} passwordField=accessToken` });

test('who is not signed in, or for one cluster only, asks nobody', async () => {
  assert.equal((await get(at('api.example.com'), {}, '')).status, 401);
  const { id: clusterId } = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'one' } });
  const { token } = await api.want(201, 'POST', '/v3/tokens', { body: { clusterId } });
  assert.equal((await get(at('api.example.com'), {}, token)).status, 401);
  assert.deepEqual(seen, []);
});

test('a host of a driver is asked and its answer passed on, with nothing of the caller’s own', async () => {
  const headers = {
    'x-amz-target': 'rancher:A',
    cookie: 'R_SESS=mine',
    'impersonate-user': 'admin',
    'x-forwarded-for': '1.2.3.4',
    'x-api-csrf': 'c',
    'x-unknown': 'u',
    'accept-language': 'en',
  };
  answerWith = (_, response) => {
    response.writeHead(203, {
      'content-type': 'text/html',
      'set-cookie': 'R_SESS=theirs',
      'x-ratelimit-limit': '5',
      'access-control-allow-origin': '*',
      'www-authenticate': 'Basic',
    });
    response.end('<script>alert(1)</script>');
  };
  for (const form of [
    at('api.example.com'),
    at('api.example.com').replace('https:/', ''),
    at('api.example.com').replace('https:/', 'https://'),
  ]) {
    seen = [];
    const answer = await get(form, headers);
    assert.deepEqual([answer.status, answer.body], [203, '<script>alert(1)</script>']);
    assert.deepEqual(
      seen.map(one => [one.server, one.url]),
      [['127.0.0.2', '/v2/sizes?page=1']],
    );
    const { host, connection: _, ...sent } = seen[0]!.headers;
    assert.equal(host, `api.example.com:${port}`);
    assert.deepEqual(sent, { 'user-agent': 'drover', 'x-amz-target': 'A', 'accept-language': 'en' });
    assert.equal(answer.headers['set-cookie'], undefined);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
    assert.equal(answer.headers['www-authenticate'], undefined);
    assert.equal(answer.headers['x-ratelimit-limit'], '5');
    assert.equal(answer.headers['content-security-policy'], "default-src 'none'; sandbox");
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  }
});

test('what is sent arrives whole, and what is asked for too long or too large is cut', async () => {
  const { status } = await api.ask('POST', at('api.example.com'), { as: mia.token, body: { name: 'größer' } });
  assert.deepEqual([status, seen[0]!.body], [200, '{"name":"größer"}']);
  answerWith = (_, response) => response.end('x'.repeat(200_000));
  await assert.rejects(get(at('api.example.com')));
  const large = await api.ask('POST', at('api.example.com'), { as: mia.token, body: 'x'.repeat((2 << 20) + 1) });
  assert.equal(large.status, 413);
});

test('a host that nobody listed is not asked, however it is written', async () => {
  for (const path of [
    at('api.example.net'),
    at('xapi.example.com'),
    at('api.example.com.evil.net'),
    `/meta/proxy/https:/api.example.com/x`,
    `/meta/proxy/api.example.com%3A${port}/x`,
    `/meta/proxy/https:/api.example.com:${port}%2f@evil.net/x`,
    `/meta/proxy/https:/user@api.example.com:${port}/x`,
    `/meta/proxy/https:/0x7f.1:${port}/x`,
    `/meta/proxy/https:/2130706433:${port}/x`,
    `/meta/proxy/http:/api.example.com:${port}/x`,
    `/meta/proxy/`,
    '/meta/proxy',
  ]) {
    const { status } = await get(path);
    assert.ok([400, 403, 404, 422].includes(status), `${path}: ${status}`);
  }
  assert.deepEqual(seen, []);
  await api.want(200, 'POST', '/v3/nodedrivers/digitalocean?action=deactivate');
  await api.want(200, 'POST', '/v3/nodedrivers/amazonec2?action=deactivate');
  await api.want(200, 'POST', '/v3/nodedrivers/exoscale?action=deactivate');
  assert.equal((await get(at('api.example.com'))).status, 403);
  for (const driver of ['digitalocean', 'amazonec2', 'exoscale'])
    await api.want(200, 'POST', `/v3/nodedrivers/${driver}?action=activate`);
  assert.equal((await get(at('api.example.com'))).status, 200);
});

test('a listed host at an address near the server is not connected to', async () => {
  const { status, body } = await get(at('inside.example.com'));
  assert.deepEqual([status, body.code], [403, 'PermissionDenied']);
  assert.match(body.message, /outbound-networks/);
  for (const host of ['127.0.0.1', '[::1]']) assert.equal((await get(at(host))).status, 403, host);
  assert.deepEqual(seen, []);
});

test('a name is resolved once: what it means a moment later changes nothing, and is looked at the next time', async () => {
  assert.equal((await get(at('rebind.example.com'))).status, 200);
  assert.equal(resolved['rebind.example.com'], 1);
  assert.deepEqual(
    seen.map(({ server }) => server),
    ['127.0.0.2'],
  );
  assert.equal((await get(at('rebind.example.com'))).status, 403);
  assert.equal(seen.length, 1);
});

test('of several addresses only those that are allowed are tried', async () => {
  names['other.example.com'] = [['127.0.0.1', '127.0.0.2', '169.254.169.254']];
  assert.equal((await get(at('other.example.com'))).status, 200);
  assert.deepEqual(
    seen.map(({ server }) => server),
    ['127.0.0.2'],
  );
});

test('each redirect is looked at like the first request, and takes no credentials along', async () => {
  const id = await makeCredential();
  const to = (location: string) => {
    answerWith = (request, response) => {
      if (request.headers.host!.startsWith('api.') && !request.url!.includes('again'))
        response.writeHead(302, { location });
      response.end('{}');
    };
  };
  to(`https://other.example.com:${port}/elsewhere`);
  assert.equal((await get(at('api.example.com'), { ...bearer(id), 'x-auth-token': 'typed' })).status, 200);
  assert.equal(seen[0]!.headers['authorization'], 'Bearer secret-of-mia');
  assert.equal(seen[1]!.url, '/elsewhere');
  assert.deepEqual([seen[1]!.headers['authorization'], seen[1]!.headers['x-auth-token']], [undefined, undefined]);
  seen = [];
  to('/again');
  assert.equal((await get(at('api.example.com'), bearer(id))).status, 200);
  assert.equal(seen[1]!.headers['authorization'], 'Bearer secret-of-mia');
  for (const location of [
    `https://inside.example.com:${port}/`,
    'https://evil.example.net/',
    `http://other.example.com:${port}/`,
    `https://127.0.0.1:${port}/`,
    'https://169.254.169.254/latest/meta-data',
  ]) {
    seen = [];
    to(location);
    assert.equal((await get(at('api.example.com'))).status, 403, location);
    assert.equal(seen.length, 1, location);
  }
  to(at('api.example.com').replace('/meta/proxy/https:/', 'https://'));
  assert.equal((await get(at('api.example.com'))).status, 503);
  const posted = await api.ask('POST', at('api.example.com'), { as: mia.token, body: {} });
  assert.equal(posted.status, 503);
});

test('a credential is its maker’s: another can not use it by its id, nor see that it is there', async () => {
  const id = await makeCredential();
  const ann = await api.makeUser('ann');
  const answer = await get(at('api.example.com'), bearer(id), ann.token);
  const none = await get(at('api.example.com'), bearer('cattle-global-data:cc-zzzzz'), ann.token);
  assert.deepEqual([answer.status, none.status], [404, 404]);
  assert.equal(answer.body.message.replace(id, 'X'), none.body.message.replace('cattle-global-data:cc-zzzzz', 'X'));
  assert.equal((await api.ask('GET', `/v3/cloudcredentials/${id}`, { as: ann.token })).status, 404);
  assert.equal(
    (await api.ask('PUT', `/v3/cloudcredentials/${id}`, { as: ann.token, body: { name: 'x' } })).status,
    404,
  );
  assert.equal((await api.ask('DELETE', `/v3/cloudcredentials/${id}`, { as: ann.token })).status, 404);
  assert.deepEqual((await api.want(200, 'GET', '/v3/cloudcredentials', { as: ann.token })).data, []);
  assert.deepEqual(seen, []);
  assert.equal((await get(at('api.example.com'), bearer(id))).status, 200);
});

test('a credential is shown to its own cloud’s hosts alone, and no other field or way is taken', async () => {
  const id = await makeCredential();
  assert.equal((await get(at('other.example.com'), bearer(id))).status, 403);
  for (const header of [
    `Bearer credID=${id} passwordField=secretKey`,
    `Bearer credID=${id} passwordField=constructor`,
    `Bearer credID=${id}`,
    'Bearer passwordField=accessToken',
    `Negotiate credID=${id}`,
    `arbitrary headers=Host=evil`,
  ]) {
    const { status } = await get(at('api.example.com'), { 'x-api-cattleauth-header': header });
    assert.equal(status, 422, header);
  }
  assert.deepEqual(seen, []);
});

test('credentials are shown as the cloud wants them: by name and password, signed, or to a challenge', async () => {
  const make = async (body: object) =>
    (await api.want(201, 'POST', '/v3/cloudcredentials', { as: mia.token, body })).id as string;
  const ex = await make({ exoscalecredentialConfig: { apiKey: 'key', apiSecretKey: 'pa:ss' } });
  const fields = `credID=${ex} usernameField=apiKey passwordField=apiSecretKey`;
  await get(at('api.example.com'), { 'x-api-cattleauth-header': `basic ${fields}` });
  assert.equal(seen[0]!.headers['authorization'], `Basic ${Buffer.from('key:pa:ss').toString('base64')}`);
  seen = [];
  answerWith = (request, response) => {
    if (!request.headers.authorization)
      response.writeHead(401, { 'www-authenticate': 'Digest realm="r", nonce="n", qop="auth"' });
    response.end('{}');
  };
  assert.equal((await get(at('api.example.com'), { 'x-api-cattleauth-header': `digest ${fields}` })).status, 200);
  assert.match(
    String(seen[1]!.headers['authorization']),
    /^Digest username="key", realm="r", nonce="n", uri="\/v2\/sizes\?page=1", response="[0-9a-f]{32}"/,
  );
  seen = [];
  const aws = await make({ amazonec2credentialConfig: { accessKey: 'AKID', secretKey: 'aws-secret' } });
  await get(at('api.example.com'), { 'x-api-cattleauth-header': `awsv4 credID=${aws}` });
  assert.match(
    String(seen[0]!.headers['authorization']),
    /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/us-east-1\/[a-z]+\/aws4_request, SignedHeaders=host;x-amz-date, Signature=[0-9a-f]{64}$/,
  );
  assert.ok(!JSON.stringify(seen).includes('aws-secret'));
  // What somebody has typed in and not kept goes as he wrote it, marked or not.
  seen = [];
  await get(at('api.example.com'), { 'x-api-auth-header': 'rancher:Bearer typed' });
  assert.equal(seen[0]!.headers['authorization'], 'Bearer typed');
});

test('what is secret in a credential is never shown, and survives a change that does not name it', async () => {
  const id = await makeCredential();
  const changed = await api.want(200, 'PUT', `/v3/cloudcredentials/${id}`, {
    as: mia.token,
    body: { description: 'new' },
  });
  assert.equal(changed.description, 'new');
  const all = [
    changed,
    await api.want(200, 'GET', '/v3/cloudcredentials', { as: mia.token }),
    await api.want(200, 'GET', `/v3/cloudcredentials/${id}`),
  ];
  assert.ok(!JSON.stringify(all).includes('secret-of-mia'));
  await get(at('api.example.com'), bearer(id));
  assert.equal(seen[0]!.headers['authorization'], 'Bearer secret-of-mia');
  await api.want(200, 'PUT', `/v3/cloudcredentials/${id}`, {
    as: mia.token,
    body: { digitaloceancredentialConfig: { accessToken: 'another' } },
  });
  await get(at('api.example.com'), bearer(id));
  assert.equal(seen[1]!.headers['authorization'], 'Bearer another');
  const two = { digitaloceancredentialConfig: { accessToken: 'a' }, linodecredentialConfig: { token: 'b' } };
  for (const body of [{ name: 'none' }, two, { linodecredentialConfig: {} }])
    assert.equal((await api.ask('POST', '/v3/cloudcredentials', { as: mia.token, body })).status, 422);
});

test('settings that open hosts and networks take nothing else', async () => {
  for (const [name, value] of [
    ['whitelist-domain', '*'],
    ['whitelist-domain', '*.com:x'],
    ['whitelist-domain', 'a b'],
    ['whitelist-domain', 'https://a.b'],
    ['outbound-networks', '10.0.0.0/33'],
    ['outbound-networks', 'localhost'],
  ] as const)
    assert.equal((await api.ask('PUT', `/v3/settings/${name}`, { body: { value } })).status, 422, value);
  const driver = { whitelistDomains: ['*'] };
  assert.equal((await api.ask('PUT', '/v3/nodedrivers/azure', { body: driver })).status, 422);
  assert.equal((await api.ask('PUT', '/v3/nodedrivers/azure', { as: mia.token, body: {} })).status, 404);
});
