/** Downloads against a real HTTP server that cuts, lies and keeps silent. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { issueCert } from '../pki/certificate.ts';
import { ensureCa } from '../pki/store.ts';
import { fetchFile } from './fetch-file.ts';

const content = Buffer.from('some release archive, '.repeat(5000));
const checksum = `sha256:${createHash('sha256').update(content).digest('hex')}`;

async function serving(listener: RequestListener): Promise<AsyncDisposable & { url: string; dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-fetch-'));
  const server = createServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/archive.tar.gz`,
    dir,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await rm(dir, { recursive: true });
    },
  };
}

test('a file that matches is put in its place, with progress in bytes', async () => {
  await using source = await serving((_request, response) => response.end(content));
  const seen: number[] = [];
  const path = join(source.dir, 'sub', 'archive');
  await fetchFile(source.url, path, { checksum, onBytes: bytes => seen.push(bytes) });
  assert.deepEqual(await readFile(path), content);
  assert.equal(seen.at(-1), content.length);
});

test('a file with another checksum is refused by both sums and not kept', async () => {
  await using source = await serving((_request, response) => response.end('something else'));
  const path = join(source.dir, 'archive');
  await assert.rejects(
    fetchFile(source.url, path, { checksum }),
    /its sha256 is [0-9a-f]{64}, but [0-9a-f]{64} is pinned/,
  );
  assert.deepEqual(await readdir(source.dir), []);
});

test('what a cut left is gone on with', async () => {
  const ranges: (string | undefined)[] = [];
  let cut = () => {};
  await using source = await serving((request, response) => {
    ranges.push(request.headers.range);
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (ranges.length === 1) {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 60_000));
      cut = () => response.destroy();
      return;
    }
    response.writeHead(206, { 'content-length': content.length - start });
    response.end(content.subarray(start));
  });
  const path = join(source.dir, 'archive');
  await assert.rejects(
    fetchFile(source.url, path, { checksum, onBytes: () => cut() }),
    /archive\.tar\.gz can't be downloaded/,
  );
  await fetchFile(source.url, path, { checksum });
  assert.deepEqual(await readFile(path), content);
  assert.match(ranges[1]!, /^bytes=[1-9]\d*-$/);
});

test('a server that ignores ranges is read from the start again', async () => {
  await using source = await serving((_request, response) => response.end(content));
  const path = join(source.dir, 'archive');
  await writeFile(`${path}.partial`, 'wrong beginning');
  await fetchFile(source.url, path, { checksum });
  assert.deepEqual(await readFile(path), content);
});

test('a silent server is given up, an absent one and a refusal say what they are', async () => {
  await using silent = await serving(() => {});
  const path = join(silent.dir, 'archive');
  await assert.rejects(fetchFile(silent.url, path, { checksum, silenceMs: 50 }), /silent for 50 ms/);
  await assert.rejects(
    fetchFile('http://127.0.0.1:1/x.tgz', path, { checksum }),
    /x\.tgz can't be downloaded: .*(ECONNREFUSED|bad port)/,
  );
  await using refusing = await serving((_request, response) => response.writeHead(404).end());
  await assert.rejects(fetchFile(refusing.url, path, { checksum }), /answered 404/);
});

test('an aborted download rejects with its reason', async () => {
  await using source = await serving(() => {});
  const giveUp = new AbortController();
  const fetching = fetchFile(source.url, join(source.dir, 'archive'), { checksum, signal: giveUp.signal });
  giveUp.abort(new Error('never mind'));
  await assert.rejects(fetching, /never mind/);
});

test('over HTTPS a release host is followed to where it keeps its files, and must be one that this machine trusts', async () => {
  await using source = await serving((_request, response) => response.end());
  const ca = await ensureCa(source.dir, 'ca', 'test-release');
  const { cert, key } = await issueCert(ca, { commonName: 'release', ips: ['127.0.0.1'], usages: ['server'] });
  const host = createTlsServer({ cert, key: key.reveal() }, (request, response) => {
    if (request.url === '/kept') response.end(content);
    else response.writeHead(302, { location: '/kept' }).end();
  });
  await new Promise<void>(resolve => host.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(host.address() as { port: number }).port}/archive.tar.gz`;
  const path = join(source.dir, 'archive');
  const code = `const { fetchFile } = await import(${JSON.stringify(import.meta.resolve('./fetch-file.ts'))});
    await fetchFile(${JSON.stringify(url)}, ${JSON.stringify(path)}, { checksum: ${JSON.stringify(checksum)} });`;
  // Trust is read once, when a process starts.
  const run = (env: NodeJS.ProcessEnv) =>
    new Promise<string>(resolve => {
      const options = { env: { ...process.env, ...env } };
      execFile(process.execPath, ['--input-type=module', '-e', code], options, (_error, _stdout, stderr) =>
        resolve(stderr),
      );
    });
  try {
    assert.match(await run({ NODE_EXTRA_CA_CERTS: '' }), /archive\.tar\.gz can't be downloaded[\s\S]*certificate/);
    assert.equal(await run({ NODE_EXTRA_CA_CERTS: join(source.dir, 'ca.crt') }), '');
    assert.deepEqual(await readFile(path), content);
  } finally {
    host.closeAllConnections();
    host.close();
  }
});
