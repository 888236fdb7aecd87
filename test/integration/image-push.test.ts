/** Images go into a real registry: with and without sign-in, for both platforms, and no byte twice. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Secret } from '@drover/base';
import bcrypt from 'bcryptjs';
import { readArchive, writeArchive } from '../../tools/image/archive.ts';
import { type Image, jsonBlob, mediaTypes } from '../../tools/image/build.ts';
import { digestOf } from '../../tools/image/digest.ts';
import { makeLayer } from '../../tools/image/layer.ts';
import { pushImages } from '../../tools/image/push.ts';
import { parseReference } from '../../tools/image/reference.ts';
import { registryBinary, startRegistry } from './registry.ts';

let dir: string;
let binary: string | undefined;
let reason = '';

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-push-'));
  const found = await registryBinary();
  if ('path' in found) binary = found.path;
  else reason = found.missing;
});
after(() => rm(dir, { recursive: true, force: true }));

async function sampleImage(platform: Image['platform'], content: string): Promise<Image> {
  const layer = await makeLayer('test', [{ path: '/file', bytes: Buffer.from(content) }]);
  const config = jsonBlob(mediaTypes.config, {
    architecture: platform,
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
  });
  const layers = [{ mediaType: mediaTypes.layer, digest: layer.digest, bytes: layer.bytes }];
  const describe = ({ mediaType, digest, bytes }: (typeof layers)[0] | typeof config) => ({
    mediaType,
    digest,
    size: bytes.length,
  });
  const manifest = jsonBlob(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: describe(config),
    layers: layers.map(describe),
  });
  return { platform, config, layers, manifest };
}

test('both platforms are pulled back byte for byte under one tag, and a second push sends nothing', async t => {
  if (!binary) return t.skip(reason);
  await using registry = await startRegistry({ binary, dir });
  const images = [await sampleImage('amd64', 'one'), await sampleImage('arm64', 'two')];
  const to = parseReference(`${registry.host}/team/agent:v1`);
  const first = await pushImages(images, to, { insecure: true });

  const get = (path: string) =>
    fetch(`http://${registry.host}/v2/team/agent/${path}`, { headers: { accept: Object.values(mediaTypes).join() } });
  const index = await (await get('manifests/v1')).text();
  assert.equal(digestOf(index), first.digest);
  const { manifests } = JSON.parse(index);
  assert.deepEqual(
    manifests.map((each: { platform: unknown }) => each.platform),
    [
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'arm64', os: 'linux' },
    ],
  );
  for (const [n, image] of images.entries()) {
    assert.equal(await (await get(`manifests/${manifests[n].digest}`)).text(), image.manifest.bytes.toString());
    for (const blob of [...image.layers, image.config]) {
      assert.equal(digestOf(Buffer.from(await (await get(`blobs/${blob.digest}`)).arrayBuffer())), blob.digest);
    }
  }
  assert.equal((await pushImages(images, to, { insecure: true })).sentBytes, 0);
});

test('a registry that asks for a user takes the right password only', async t => {
  if (!binary) return t.skip(reason);
  await writeFile(join(dir, 'htpasswd'), `ann:${bcrypt.hashSync('right', 4)}\n`);
  await using registry = await startRegistry({
    binary,
    dir,
    config: `auth: {htpasswd: {realm: test, path: ${join(dir, 'htpasswd')}}}`,
  });
  const images = [await sampleImage('amd64', 'secret')];
  const to = parseReference(`${registry.host}/agent:v1`);
  const push = (password?: string) =>
    pushImages(images, to, {
      insecure: true,
      credentials: password === undefined ? undefined : { username: 'ann', password: new Secret(password) },
    });
  await assert.rejects(push(), /--username and --password-stdin/);
  await assert.rejects(push('wrong'), /401/);
  assert.ok((await push('right')).sentBytes > 0);
});

test('without --insecure a registry on plain HTTP is refused, saying how', async t => {
  if (!binary) return t.skip(reason);
  await using registry = await startRegistry({ binary, dir });
  await assert.rejects(
    pushImages([await sampleImage('amd64', 'x')], parseReference(`${registry.host}/agent:v1`)),
    /--insecure/,
  );
});

test('an archive comes back as it was written, and a changed byte is found', async () => {
  const image = await sampleImage('amd64', 'archive');
  const path = join(dir, 'image.tar');
  const bytes = await writeArchive(image, 'docker.io/drover/agent:test');
  await writeFile(path, bytes);
  const [read] = await readArchive(path);
  assert.deepEqual(read, image);

  const at = bytes.indexOf(image.layers[0]!.bytes) + 30;
  bytes[at] = bytes[at]! ^ 1;
  await writeFile(path, bytes);
  await assert.rejects(readArchive(path), /damaged/);
});

test('the command line pushes an archive and says where it went', async t => {
  if (!binary) return t.skip(reason);
  await using registry = await startRegistry({ binary, dir });
  const path = join(dir, 'cli.tar');
  await writeFile(path, await writeArchive(await sampleImage('arm64', 'cli'), 'docker.io/drover/agent:test'));
  const tool = join(import.meta.dirname, '../../tools/image.ts');
  const args = [tool, 'push', `${registry.host}/cli/agent:v2`, '--from', path, '--insecure'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  assert.match(stdout, /cli\/agent:v2 {2}sha256:[0-9a-f]{64} /);
  const response = await fetch(`http://${registry.host}/v2/cli/agent/tags/list`);
  assert.deepEqual(await response.json(), { name: 'cli/agent', tags: ['v2'] });
});
