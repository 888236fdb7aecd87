/** The search for binaries: real files, a real archive from a real server; scripts stand in for etcd and the kube- programs. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { pinnedReleases, type Releases } from './download.ts';
import { findBinaries } from './find.ts';
import { goBuildArguments, goModuleDir, readGoModule } from './go-build.ts';
import { type BinaryProgress, platformName } from './names.ts';

const names = ['etcd', 'kube-apiserver'] as const;
const script = (says: string) => `#!/bin/sh\necho "${says}"\n`;
const scripts = { etcd: script('etcd Version: 3.5.27'), 'kube-apiserver': script('Kubernetes v1.36.0') };

async function tempDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-find-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function binDir(t: TestContext, files: Record<string, string>): Promise<string> {
  const dir = await tempDir(t);
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(dir, name), content);
    await chmod(join(dir, name), 0o755);
  }
  return dir;
}

/** Serves one archive with both, and says how often it was asked. */
async function release(t: TestContext): Promise<{ releases: Releases; asked: () => number }> {
  const tar = pack();
  for (const [name, content] of Object.entries(scripts)) tar.entry({ name: `kit/${name}` }, content);
  tar.entry({ name: 'kit/notes.txt' }, 'not wanted');
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  const archive = gzipSync(Buffer.concat(chunks));
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.end(archive);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const kit = {
    version: 'v1.36.0',
    url: `http://127.0.0.1:${port}/kit-{os}-{arch}.tar.gz`,
    files: 'kit/',
    binaries: [...names],
    checksums: { [platformName().name]: `sha512:${createHash('sha512').update(archive).digest('hex')}` },
  };
  return { releases: { kubernetes: kit }, asked: () => asked };
}

test('a directory with binaries that run and match comes first', async t => {
  const dir = await binDir(t, { ...scripts, 'kube-scheduler': script('Kubernetes v1.36.0') });
  const found = await findBinaries({ dir, names: [...names, 'kube-scheduler'], cacheDir: await tempDir(t) });
  assert.deepEqual(
    { source: found.source, version: found.version, path: found.path('etcd') },
    { source: 'directory', version: 'v1.36.0', path: join(dir, 'etcd') },
  );
});

test('a download is checked, unpacked, cached and not fetched again; two at once fetch it once', async t => {
  const { releases, asked } = await release(t);
  const cacheDir = await tempDir(t);
  const progress: BinaryProgress[] = [];
  const find = () =>
    findBinaries({ names, cacheDir, releases, allow: ['cache', 'download'], onProgress: step => progress.push(step) });
  const [one, two] = await Promise.all([find(), find()]);
  assert.deepEqual([one.version, two.version, one.dir], ['v1.36.0', 'v1.36.0', two.dir]);
  assert.equal(asked(), 1);
  assert.ok(progress.some(({ step, state }) => step.startsWith('download kit-') && state === 'done'));
  assert.equal((await find()).source, 'cache');
  assert.equal(asked(), 1);
});

test('when nothing works, the error names every source and why', async t => {
  const elsewhere = await binDir(t, { etcd: scripts.etcd, 'kube-apiserver': '#!/nowhere\n' });
  const dead: Releases = {
    kubernetes: { ...(await release(t)).releases['kubernetes']!, url: 'http://127.0.0.1:9/kit.tar.gz' },
  };
  const cacheDir = await tempDir(t);
  await assert.rejects(
    findBinaries({ dir: elsewhere, names, cacheDir, releases: dead, moduleDir: cacheDir }),
    error => {
      const { message } = error as Error;
      for (const part of [
        /directory: \S+kube-apiserver does not run here/,
        /cache: \S+ has no etcd, kube-apiserver/,
        /download: kit\.tar\.gz can't be downloaded/,
        /build: there is no Go module at/,
      ]) {
        assert.match(message, part);
      }
      return true;
    },
  );
});

test('binaries of different versions, and one for another platform only, are told apart', async t => {
  const dir = await binDir(t, { ...scripts, kubelet: script('Kubernetes v1.35.4') });
  const cacheDir = await tempDir(t);
  const options = { dir, cacheDir, moduleDir: cacheDir };
  await assert.rejects(
    findBinaries({ ...options, names: ['kube-apiserver', 'kubelet'], allow: ['directory'] }),
    /kubelet is v1\.35\.4, but kube-apiserver is v1\.36\.0/,
  );
  await assert.rejects(
    findBinaries({ ...options, names: ['kube-proxy'], allow: ['directory'] }),
    /kube-proxy is not there/,
  );
  const { releases } = await release(t);
  const foreign: Releases = { kubernetes: { ...releases['kubernetes']!, checksums: { 'plan9-mips': 'sha512:0' } } };
  await assert.rejects(
    findBinaries({ cacheDir, names, releases: foreign, allow: ['download'] }),
    new RegExp(`no release of etcd is pinned for ${platformName().name} \\(only plan9-mips\\)`),
  );
});

test('a file that was left half-written in the cache does not count', async t => {
  const { releases, asked } = await release(t);
  const cacheDir = await tempDir(t);
  const dir = join(cacheDir, 'kubernetes', `v1.36.0-${platformName().name}`);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'etcd'), 'half');
  const found = await findBinaries({ names, cacheDir, releases, allow: ['cache', 'download'] });
  assert.equal(found.source, 'download');
  assert.equal(asked(), 1);
});

test('every pinned release names a full checksum for Linux on both CPUs', () => {
  for (const { version, checksums, url } of Object.values(pinnedReleases)) {
    assert.ok(url.startsWith('https://') && url.includes(version), url);
    assert.deepEqual(Object.keys(checksums), ['linux-amd64', 'linux-arm64']);
    for (const checksum of Object.values(checksums))
      assert.match(checksum, /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/);
  }
});

test('the Go module says the version, and Kubernetes is told it at link time', async () => {
  const module = await readGoModule(goModuleDir);
  assert.match(module!.version, /^v1\.\d+\.\d+$/);
  assert.match(module!.key, /^go\.sum [0-9a-f]{16}$/);
  const flags = goBuildArguments('kubelet', 'v1.36.3').at(-1)!;
  assert.match(flags, /version\.gitVersion=v1\.36\.3 .*gitMajor=1 .*gitMinor=36 /);
  assert.equal(goBuildArguments('etcd', 'v1.36.3').at(-1), '-s -w');
});
