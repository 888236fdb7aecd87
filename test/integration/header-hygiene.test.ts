/**
 * What a client writes on the wire and what a cluster's API then reads, byte by byte through front, proxy, tunnel and the
 * agent's process: however it is spelled, folded, repeated or hidden, only the identity that the server vouches for arrives.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { isTrue, Secret, until } from '@drover/base';
import { formatKubeconfig, writeKubeconfig } from '@drover/kube';
import type { Child } from './child.ts';
import { type Hub, startAgent, startHub } from './hub.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly trailers: readonly string[];
  readonly body: string;
}

const probe = '/api/v1/namespaces/probe/pods';
let hub: Hub;
let agent: Child;
let api: Server;
let cluster: { readonly id: string; readonly token: string };
let member: { readonly id: string; readonly bearer: { reveal(): string } };
let seen: Seen[] = [];

/** Answers what an agent asks at its start, and keeps everything else. */
function startEcho(): Server {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const fixed: Record<string, unknown> = {
      '/version': { gitVersion: 'v1.36.3' },
      '/api/v1/namespaces/kube-system': { metadata: { name: 'kube-system', uid: 'echo-uid' } },
    };
    response.setHeader('content-type', 'application/json');
    if (fixed[request.url!]) {
      response.end(JSON.stringify(fixed[request.url!]));
      return;
    }
    note(request.method!, request.url!, request.rawHeaders, { trailers: request.rawTrailers, body });
    response.end('{}');
  });
  server.on('upgrade', (request, socket) => {
    note(request.method!, request.url!, request.rawHeaders, { trailers: [], body: '' });
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  });
  return server.listen(0, '127.0.0.1');
}

function note(method: string, url: string, raw: readonly string[], rest: { trailers: string[]; body: string }): void {
  const headers: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) headers.push([raw[i]!, raw[i + 1]!]);
  // The server's own controllers ask for things as well.
  if (url === probe) seen.push({ method, url, headers, ...rest });
}

before(async () => {
  hub = await startHub();
  api = startEcho();
  await once(api, 'listening');
  cluster = await hub.makeCluster('echo');
  member = await hub.makeUser('mia');
  await hub.grant(cluster.id, member.id, 'pods-view');
  const kubeconfigPath = join(hub.dir, 'echo.kubeconfig');
  const server = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const config = { name: 'echo', server, token: new Secret('the-agents-own') };
  await writeKubeconfig(kubeconfigPath, await formatKubeconfig(config));
  agent = await startAgent(hub, { token: cluster.token, kubeconfigPath });
  await until('the agent to be connected', () =>
    isTrue(hub.caches.cluster.get(cluster.id)?.status?.conditions, 'Connected'),
  );
});
after(async () => {
  await agent?.[Symbol.asyncDispose]();
  await hub?.[Symbol.asyncDispose]();
  api?.closeAllConnections();
  api?.close();
});

/** Writes the bytes to the front; gives the first line of the answer and what reached the cluster's API by then. */
async function send(text: string): Promise<{ status: number; seen: Seen[] }> {
  seen = [];
  const socket = connect({ host: '127.0.0.1', port: hub.port, ca: hub.ca.cert });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  let answer = '';
  socket.setEncoding('latin1').on('data', chunk => (answer += chunk));
  socket.write(text, 'latin1');
  await until('an answer', () => answer.includes('\r\n\r\n') || socket.destroyed);
  // Whatever else was on its way in the same bytes has been answered, or the connection is closed, by the time of the next.
  socket.end();
  await closed;
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]), seen };
}

const claims = (one: Seen) => one.headers.filter(([name]) => /^(impersonate-|x-remote-)/i.test(name));
const credentials = (one: Seen) =>
  one.headers.filter(([name]) => /^(authorization|cookie|x-api-auth-header)$/i.test(name));
const head = (lines: readonly string[], { method = 'GET', prefix = '/k8s/clusters' } = {}) =>
  [
    `${method} ${prefix}/${cluster.id}${probe} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${member.bearer.reveal()}`,
    ...lines,
    '',
    '',
  ].join('\r\n');

function assertOurs(one: Seen): void {
  const byName = new Map(claims(one).map(([name, value]) => [name.toLowerCase(), value]));
  assert.equal(byName.get('impersonate-user'), member.id);
  assert.equal(claims(one).filter(([name]) => name.toLowerCase() === 'impersonate-user').length, 1);
  for (const [name, value] of claims(one)) {
    assert.match(
      name.toLowerCase(),
      /^impersonate-(user|group|extra-(username|principalid|requestid|requesttokenid|requesthost))$/,
    );
    assert.doesNotMatch(value, /masters|evil/);
  }
  assert.deepEqual(
    credentials(one),
    [['authorization', 'Bearer the-agents-own']].map(([, value]) => [credentials(one)[0]![0], value]),
  );
}

const attacks: Record<string, string[]> = {
  'nothing but a token': [],
  'the header that carries the identity named hop-by-hop': [
    'Connection: Impersonate-User, Impersonate-Group, Authorization',
  ],
  'the same, twice and in another case': ['connection: keep-alive, IMPERSONATE-USER', 'Connection: impersonate-group'],
  'proxy headers that some servers take for an identity': ['X-Remote-User: evil', 'X-Remote-Group: system:masters'],
  'more credentials beside the first': ['Cookie: R_SESS=evil', 'X-API-Auth-Header: Bearer evil'],
  'a bearer hidden among WebSocket protocols': [
    'Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.ZXZpbA, v5.channel.k8s.io',
  ],
};

for (const prefix of ['/k8s/clusters', '/k8s/proxy']) {
  for (const [name, lines] of Object.entries(attacks)) {
    test(`${prefix}: ${name}: only our identity arrives`, async () => {
      const got = await send(head(lines, { prefix }));
      assert.equal(got.status, 200);
      assert.equal(got.seen.length, 1);
      assertOurs(got.seen[0]!);
    });
    test(`${prefix}: ${name}: on an upgrade too`, async () => {
      const upgrade = [
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: a',
      ];
      const got = await send(head([...upgrade, ...lines], { prefix }));
      assert.equal(got.status, 101);
      assert.equal(got.seen.length, 1);
      assertOurs(got.seen[0]!);
    });
  }
}

for (const [name, lines] of Object.entries({
  'Impersonate-User': ['Impersonate-User: evil'],
  'impersonate-user in another case': ['iMPERSONATE-uSER: evil'],
  'a group alone': ['Impersonate-Group: system:masters'],
  'an extra alone': ['Impersonate-Extra-Scopes: evil'],
  'a UID alone': ['Impersonate-Uid: 0'],
  'a folded header (RFC 9112 5.2)': ['X-A: b', ' c', 'Impersonate-User:', ' evil'],
  'a header before which a fold hides': ['X-A: b\r\n\tImpersonate-User: evil', 'Impersonate-User: evil'],
  'a name with a space before its colon': ['Impersonate-User : evil'],
  'a name with an underscore': ['Impersonate_User: evil'],
  'a bare line feed': ['X-A: b\nImpersonate-User: evil'],
  'a bare carriage return': ['X-A: b\rImpersonate-User: evil'],
})) {
  test(`a claim, written as ${name}, is refused or comes to nothing`, async () => {
    const got = await send(head(lines));
    assert.ok([200, 400, 403].includes(got.status) || Number.isNaN(got.status), String(got.status));
    for (const one of got.seen) assertOurs(one);
  });
}

test('trailers of a body are not headers, and are not passed on', async () => {
  const body = '2\r\n{}\r\n0\r\nImpersonate-User: evil\r\nImpersonate-Group: system:masters\r\n\r\n';
  const lines = ['Transfer-Encoding: chunked', 'Trailer: Impersonate-User', 'Content-Type: application/json'];
  const got = await send(head(lines, { method: 'POST' }) + body);
  assert.equal(got.status, 200);
  assertOurs(got.seen[0]!);
  assert.deepEqual([got.seen[0]!.trailers, got.seen[0]!.body], [[], '{}']);
});

test('a body that one reader ends sooner than another carries no second request', async () => {
  const second = head(['Impersonate-User: evil'], { method: 'GET' });
  const ambiguous = [
    `${head(['Content-Length: 4', 'Transfer-Encoding: chunked'], { method: 'POST' })}0\r\n\r\n${second}`,
    head(['Content-Length: 0', 'Content-Length: 30'], { method: 'POST' }) + second,
    `${head(['Transfer-Encoding: chunked, identity'], { method: 'POST' })}0\r\n\r\n${second}`,
    head(['Transfer-Encoding: xchunked', 'Content-Length: 0'], { method: 'POST' }) + second,
    head(['Connection: Upgrade', 'Upgrade: websocket', `Content-Length: ${second.length}`]) + second,
  ];
  for (const text of ambiguous) for (const one of (await send(text)).seen) assertOurs(one);
});
