/** Downloads against a real HTTP server that cuts, lies and keeps silent. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
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
