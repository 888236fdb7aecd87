/** Checksums of releases that are not pinned: from a file, or published beside them by a real server. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { checksumOf, parseChecksums } from './checksums.ts';
import type { Releases } from './download.ts';
import { findBinaries } from './find.ts';

const long = 'a'.repeat(128);
const short = 'b'.repeat(64);

test('lines of sha256sum and sha512sum are read, and one that is none is named', () => {
  const found = parseChecksums(`# made today\n${long}  dir/a.tar.gz\n${short} *b.tgz\n\n`, 'f');
  assert.deepEqual(
    [...found],
    [
      ['a.tar.gz', `sha512:${long}`],
      ['b.tgz', `sha256:${short}`],
    ],
  );
  for (const line of ['abc  a.tgz', `${long}`, `${long.toUpperCase()}  a`, `${long} a`])
    assert.throws(() => parseChecksums(`${short}  b\n${line}`, 'sums'), /line 2 of sums/);
});

async function vendor(t: TestContext, answers: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const answer = answers[url];
    if (answer === undefined) response.writeHead(404).end();
    else response.end(answer);
  }).listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('what is published beside an archive counts where no file is named, and what is not a sum is refused', async t => {
  const base = await vendor(t, { '/a.tar.gz.sha512': `${long}\n`, '/b.tar.gz.sha512': '<html>' });
  assert.equal(await checksumOf(`${base}/a.tar.gz`, {}), `sha512:${long}`);
  await assert.rejects(checksumOf(`${base}/b.tar.gz`, {}), /holds no SHA-512 sum; name a file/);
  await assert.rejects(checksumOf(`${base}/c.tar.gz`, {}), /answered 404; name a file with its checksum/);
});

test('another version is downloaded by its checksum, and not kept where it is not that', async t => {
  const dir = await mkdtemp(join(tmpdir(), 'drover-sums-'));
  t.after(() => rm(dir, { recursive: true }));
  const tar = pack();
  tar.entry({ name: 'kit/kube-apiserver', mode: 0o755 }, '#!/bin/sh\necho Kubernetes v1.37.2\n');
  tar.finalize();
  const archive = gzipSync(Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Buffer>)));
  const sum = createHash('sha512').update(archive).digest('hex');
  const base = await vendor(t, { '/v1.37.2/kit.tar.gz': archive, '/v1.37.2/kit.tar.gz.sha512': sum });
  const releases: Releases = {
    kubernetes: {
      version: 'v1.36.0',
      url: `${base}/v1.36.0/kit.tar.gz`,
      files: 'kit/',
      binaries: ['kube-apiserver'],
      checksums: { 'linux-amd64': `sha512:${long}`, 'linux-arm64': `sha512:${long}` },
    },
  };
  const find = (checksums?: string, name = 'cache') =>
    findBinaries({
      ...{ releases, checksums, kubernetes: '1.37', names: ['kube-apiserver'], allow: ['download'] },
      cacheDir: join(dir, name),
    });
  const found = await find();
  assert.deepEqual([found.version, found.source], ['v1.37.2', 'download']);
  await writeFile(join(dir, 'right'), `${sum}  kit.tar.gz\n`);
  assert.equal((await find(join(dir, 'right'), 'two')).version, 'v1.37.2');
  await writeFile(join(dir, 'wrong'), `${long}  kit.tar.gz\n`);
  await assert.rejects(find(join(dir, 'wrong'), 'three'), /its sha512 is .* it was not kept/);
  await writeFile(join(dir, 'other'), `${sum}  other.tar.gz\n`);
  await assert.rejects(find(join(dir, 'other'), 'four'), /has no line for kit\.tar\.gz/);
  await assert.rejects(find(join(dir, 'absent'), 'five'), /--checksums: .*can't be read/);
});
