/** The front over real sockets: routes, refusals, slow and many connections, draining, another certificate. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { forbidden, type Log, silentLog, unauthorized, until } from '@drover/base';
import { type CertPair, ensureCa, issueCert } from '@drover/engine';
import fc from 'fast-check';
import type { Caller, Exchange, Route } from './exchange.ts';
import { Front, type FrontOptions } from './front.ts';
import { sendText } from './health.ts';

let dir: string;
let ca: CertPair;
let tls: CertPair;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-front-'));
  ca = await ensureCa(dir, 'ca', 'test-front');
  tls = await issue();
});
after(() => rm(dir, { recursive: true, force: true }));

const issue = () =>
  issueCert(ca, { commonName: 'front', dnsNames: ['localhost'], ips: ['127.0.0.1'], usages: ['server'] });
const soon = () => ({ signal: AbortSignal.timeout(10_000) });
const somebody = { userId: 'u-1' } as Caller;

function route(prefix: string, handle: (exchange: Exchange) => Promise<void> | void, more: Partial<Route> = {}): Route {
  return { prefix, signIn: 'none', errors: 'norman', handle: async exchange => handle(exchange), ...more };
}

async function open(routes: Route[], more: Partial<FrontOptions> = {}): Promise<Front> {
  const front = new Front({
    listen: { host: '127.0.0.1', port: 0 },
    tls,
    routes,
    log: silentLog,
    authenticate: async ({ headers }) => {
      if (headers.authorization === 'Bearer bad') throw unauthorized('the token is no good');
      return headers.authorization ? somebody : undefined;
    },
    ...more,
  });
  await front.listen();
  return front;
}

async function ask(front: Front, path: string, headers: Record<string, string> = {}) {
  const agent = new Agent({ ca: ca.cert });
  const call = request({ host: '127.0.0.1', port: front.port, path, agent, headers, servername: 'localhost' }).end();
  const [answer] = await once(call, 'response');
  const body = await text(answer);
  return { status: answer.statusCode as number, headers: answer.headers as Record<string, string>, body };
}

/** Sends bytes as they are, and gives what comes back until the connection ends. */
async function raw(front: Front, bytes: string | Buffer): Promise<string> {
  const socket = await dial(front);
  socket.end(bytes);
  return text(socket).catch(() => '');
}

async function dial(front: Front): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: front.port, ca: ca.cert });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

test('the caller is asked for where the route wants one, and errors have the route’s form', async () => {
  const echo = ({ response }: Exchange) => sendText(response, 200, 'in');
  await using front = await open([
    route('/open', echo),
    route('/v3', echo, { signIn: 'user' }),
    route('/k8s', echo, { signIn: 'user', errors: 'status' }),
    route('/maybe', echo, { signIn: 'optional' }),
  ]);
  assert.equal((await ask(front, '/open')).body, 'in');
  assert.deepEqual(JSON.parse((await ask(front, '/v3')).body), {
    type: 'error',
    status: '401',
    message: 'Unauthorized 401: must authenticate',
  });
  const refused = JSON.parse((await ask(front, '/k8s/clusters/c-1')).body);
  assert.deepEqual([refused.kind, refused.code, refused.reason], ['Status', 401, 'Unauthorized']);
  assert.equal((await ask(front, '/v3', { authorization: 'Bearer good' })).status, 200);
  assert.equal((await ask(front, '/maybe', { authorization: 'Bearer bad' })).status, 200);
  assert.equal((await ask(front, '/nowhere')).status, 404);
});

test('an error that nobody meant is answered with an id, and logged once under it', async () => {
  const logged: { id: string; err: Error }[] = [];
  const log = { error: (line: { id: string; err: Error }) => logged.push(line) } as unknown as Log;
  await using front = await open(
    [
      route('/bug', () => {
        throw new TypeError('the inside');
      }),
    ],
    { log },
  );
  const { status, body } = await ask(front, '/bug');
  assert.equal(status, 500);
  assert.ok(!body.includes('inside'));
  assert.deepEqual([logged.length, logged[0]!.err.message], [1, 'the inside']);
  assert.ok(body.includes(logged[0]!.id));
});

test('our own answers are not to be sniffed, and names that are not local are bound to TLS', async () => {
  await using front = await open([
    route('/own', ({ response }) => void response.end()),
    route('/other', ({ response }) => void response.end(), { errors: 'status' }),
  ]);
  const named = (await ask(front, '/own', { host: 'drover.example.com' })).headers;
  assert.deepEqual(
    [named['x-content-type-options'], named['strict-transport-security']],
    ['nosniff', 'max-age=31536000'],
  );
  for (const host of ['localhost:8443', '127.0.0.1', '[::1]:8443'])
    assert.equal((await ask(front, '/own', { host })).headers['strict-transport-security'], undefined, host);
  assert.equal((await ask(front, '/other')).headers['x-content-type-options'], undefined);
});

test('a connection whose headers do not come is cut, and one with a slow body or a quiet answer is not', async () => {
  let release = () => {};
  const held = new Promise<void>(resolve => (release = resolve));
  const slow = route('/slow', async ({ request: incoming, response }) => {
    const body = await text(incoming);
    await held;
    sendText(response, 200, body);
  });
  await using front = await open([slow], { headersTimeoutMs: 1000 });
  const upload = await dial(front);
  upload.write('POST /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nconnection: close\r\n\r\nab');
  const silentEnd = once((await dial(front)).resume(), 'close', soon());
  const dripping = await dial(front);
  const drippingEnd = once(dripping.resume(), 'close', soon());
  dripping.write('GET /slow HTTP/1.1\r\nhos');
  await Promise.all([silentEnd, drippingEnd]);
  upload.write('cd');
  release();
  assert.match(await text(upload), /200 OK[\s\S]*abcd$/);
});

test('one address holds no more connections than it may', async () => {
  await using front = await open([route('/', ({ response }) => sendText(response, 200, 'ok'))], {
    connectionsPerAddress: 2,
  });
  const [one, two] = [await dial(front), await dial(front)];
  await assert.rejects(ask(front, '/'), /disconnected|reset|hang up|closed/i);
  one.destroy();
  two.destroy();
  await until('room for another', () => ask(front, '/').catch(() => undefined));
});

test('draining lets what runs finish, takes nothing new, and ends what would stay', async () => {
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const upgraded = Promise.withResolvers<void>();
  const front = await open([
    route('/work', async ({ response }) => {
      started.resolve();
      await release.promise;
      sendText(response, 200, 'done');
    }),
    route('/tunnel', () => undefined, {
      upgrade: async ({ socket }) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
        upgraded.resolve();
      },
    }),
  ]);
  const tunnel = await dial(front);
  const tunnelEnd = once(tunnel.resume(), 'close', soon());
  tunnel.write('GET /tunnel HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
  await upgraded.promise;
  const work = ask(front, '/work');
  await started.promise;
  const drained = front.drain(5000);
  await assert.rejects(dial(front), /ECONNREFUSED/);
  release.resolve();
  assert.equal((await work).body, 'done');
  await tunnelEnd;
  await drained;
});

test('an upgrade that is refused gets its reason in the route’s form', async () => {
  await using front = await open([
    route('/v3', () => undefined),
    route('/k8s', () => undefined, {
      errors: 'status',
      upgrade: async () => {
        throw forbidden('not into this one');
      },
    }),
  ]);
  const upgrade = (path: string) =>
    raw(front, `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`);
  assert.match(await upgrade('/k8s/x'), /^HTTP\/1\.1 403 [\s\S]*"kind":"Status"[\s\S]*not into this one/);
  assert.match(await upgrade('/v3/x'), /^HTTP\/1\.1 404 [\s\S]*"type":"error"/);
});

test('another certificate holds from the next connection on', async () => {
  await using front = await open([route('/', ({ response }) => sendText(response, 200, 'ok'))]);
  const before_ = (await dial(front)).getPeerCertificate().serialNumber;
  front.setTls(await issue());
  assert.notEqual((await dial(front)).getPeerCertificate().serialNumber, before_);
});

test('who would speak HTTP/2 as well is told HTTP/1.1, and who speaks nothing else is refused in the handshake', async () => {
  await using front = await open([route('/', ({ response }) => sendText(response, 200, 'ok'))]);
  const agreed = async (ALPNProtocols: string[]) => {
    const to = { host: '127.0.0.1', port: front.port, ca: ca.cert, servername: 'localhost', ALPNProtocols };
    const socket = connect(to);
    try {
      await once(socket, 'secureConnect', soon());
      return socket.alpnProtocol;
    } finally {
      socket.destroy();
    }
  };
  assert.equal(await agreed(['h2', 'http/1.1']), 'http/1.1');
  await assert.rejects(agreed(['h2']), { code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' });
});

test('no path, however spelled, reaches a route for callers without one, and none takes the server down', async () => {
  const reached: string[] = [];
  const note = ({ path, response }: Exchange) => {
    reached.push(path);
    sendText(response, 200, 'in');
  };
  await using front = await open([
    route('/v3', note, { signIn: 'user' }),
    route('/v3/open', ({ path, response }) => {
      // What is open is open as it is written, and nothing else is.
      if (path !== '/v3/open') reached.push(path);
      sendText(response, 200, 'open');
    }),
    route('/k8s/clusters', note, { signIn: 'user', errors: 'status' }),
  ]);
  const piece = fc.constantFrom(
    ...['/', '//', '.', '..', '%2e', '%2E%2e', '%2f', '%5c', '\\', '%00', '%', ';', '?', '#', '@', ':', ' ', '\t'],
    ...['v3', 'V3', 'open', 'k8s', 'clusters', 'c-1', 'http://a', '\u00e9', '%c0%af', '*'],
  );
  const target = fc.array(piece, { maxLength: 8 }).map(pieces => `/${pieces.join('')}`);
  const name = fc.constantFrom(
    'x-a',
    'content-length',
    'transfer-encoding',
    'connection',
    'upgrade',
    'expect',
    'x-original-url',
  );
  const value = fc.constantFrom(
    '0',
    '-1',
    'chunked',
    'upgrade',
    'keep-alive, x-a',
    '100-continue',
    '/v3',
    '\u0001',
    '',
  );
  await fc.assert(
    fc.asyncProperty(target, fc.array(fc.tuple(name, value), { maxLength: 3 }), async (path, headers) => {
      const lines = headers.map(([key, text_]) => `${key}: ${text_}\r\n`).join('');
      const answer = await raw(front, Buffer.from(`GET ${path} HTTP/1.1\r\nhost: a\r\n${lines}\r\n`, 'latin1'));
      if (answer !== '') assert.match(answer, /^HTTP\/1\.1 \d{3} /);
      assert.deepEqual(
        reached.filter(one => !one.startsWith('/v3/open/')),
        [],
      );
    }),
    { numRuns: 300 },
  );
  assert.equal((await ask(front, '/v3/open')).body, 'open');
});
