/** `/ui`: nothing but what was built can be reached, and the page runs nothing but what it brings itself. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { createLog } from '@drover/base';
import { request } from 'undici';
import { answerError } from '../http/errors.ts';
import { requirePlainPath, splitTarget } from '../http/routes.ts';
import { openUiFiles } from './files.ts';
import { uiRoute } from './route.ts';

const body = (text: string) => brotliCompressSync(text).toString('base64');
let dir: string;
let server: Server;
let url: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-ui-'));
  const built = join(dir, 'ui.json');
  await writeFile(join(dir, 'secret.txt'), 'not for anybody');
  const files = {
    'index.html': { type: 'text/html; charset=utf-8', body: body('<script nonce="__NONCE__"></script>') },
    'assets/a-1.js': { type: 'text/javascript; charset=utf-8', body: body('export {}') },
  };
  await writeFile(built, JSON.stringify({ hash: 'x', files }));
  const route = uiRoute(openUiFiles(pathToFileURL(built)));
  server = createServer(async (incoming, response) => {
    try {
      const { path, search } = splitTarget(incoming.url!);
      requirePlainPath(path);
      await route.handle({ request: incoming, response, path, search, query: new URLSearchParams(search) }, undefined);
    } catch (error) {
      answerError(response, error, { id: '1', form: 'norman', log: createLog({ level: 'silent' }) });
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(dir, { recursive: true });
});

const get = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await request(url + path, { headers });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
};

test('every address of a view is the page, with a nonce of its own each time', async () => {
  const pages = [await get('/ui/'), await get('/ui/c/local/pods?q=a')];
  const nonces = pages.map(page => /<script nonce="([^"]+)">/.exec(page.text)![1]!);
  assert.notEqual(nonces[0], nonces[1]);
  for (const [i, page] of pages.entries()) {
    const policy = String(page.headers['content-security-policy']).split('; ');
    assert.ok(policy.includes(`script-src 'nonce-${nonces[i]}' 'strict-dynamic'`));
    assert.match(String(page.headers['cache-control']), /no-store/);
  }
});

test('the page may ask no other host for anything, and can be in no frame', async () => {
  const policy = String((await get('/ui/')).headers['content-security-policy']).split('; ');
  for (const part of [
    "default-src 'none'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ])
    assert.ok(policy.includes(part), part);
  assert.ok(!policy.some(part => /unsafe|https?:|\*/.test(part)));
});

test('assets are kept for good, and sent compressed to who can read it', async () => {
  const plain = await get('/ui/assets/a-1.js');
  assert.deepEqual([plain.status, plain.text, plain.headers['content-encoding']], [200, 'export {}', undefined]);
  assert.match(String(plain.headers['cache-control']), /immutable/);
  const compressed = await request(`${url}/ui/assets/a-1.js`, { headers: { 'accept-encoding': 'br' } });
  assert.equal(compressed.headers['content-encoding'], 'br');
  assert.deepEqual(Buffer.from(await compressed.body.arrayBuffer()), brotliCompressSync('export {}'));
});

/** Over a plain socket: clients would put the path right. */
function askRaw(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', part => (text += part));
    socket.on('end', () => resolve(text)).on('error', reject);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
  });
}

test('no path leads out of what was built', async () => {
  const ways = ['..', '%2e%2e', '%2E.', '..%2f', '%2e%2e%2f', '..%5c', '....//', '%252e%252e', '%c0%ae%c0%ae'];
  for (const way of ways)
    for (const path of [
      `/ui/assets/${way}/secret.txt`,
      `/ui/assets/${way}/${way}/secret.txt`,
      `/ui/assets/${way}secret.txt`,
    ]) {
      const answer = await askRaw(path);
      assert.match(answer, /^HTTP\/1\.1 40[04] /, path);
      assert.doesNotMatch(answer, /not for anybody/, path);
    }
});

test('what is changed by a request is nothing', async () => {
  const answer = await request(`${url}/ui/`, { method: 'POST' });
  await answer.body.dump();
  assert.equal(answer.statusCode, 405);
});
