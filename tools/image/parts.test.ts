/** The parts of image building that can be held against known facts: ELF, tar layers, names and challenges. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { root } from '../root.ts';
import { parseChallenge } from './challenge.ts';
import { digestOf } from './digest.ts';
import { needsOf } from './elf.ts';
import { makeLayer } from './layer.ts';
import { parseReference } from './reference.ts';

test('a shared object tells which libraries it needs', async t => {
  const path = 'node_modules/bufferutil/prebuilds/linux-x64/bufferutil.node';
  const bytes = await readFile(join(root, path)).catch(() => undefined);
  if (!bytes) return t.skip('the prebuilt add-on is not installed');
  const needs = needsOf(path, bytes);
  assert.equal(needs.loader, undefined);
  assert.ok(needs.libraries.includes('libc.so.6'), needs.libraries.join());
});

test('what is no ELF file is refused by name', () => {
  assert.throws(() => needsOf('/bin/x', Buffer.from('#!/bin/sh\n')), /\/bin\/x is not a 64-bit/);
  assert.throws(() => needsOf('/bin/x', Buffer.alloc(200)), /not a 64-bit/);
});

test('a layer is the same bytes whatever the order of its files, and holds the directories above them', async () => {
  const files = [
    { path: '/b/two', bytes: Buffer.from('2'), mode: 0o755 },
    { path: '/a/link', linkTo: '../b/two' },
    { path: '/a/own', mode: 0o700, owner: 65532 },
  ];
  const layer = await makeLayer('test', files);
  assert.equal((await makeLayer('test', files.toReversed())).digest, layer.digest);
  const tar = gunzipSync(layer.bytes);
  assert.equal(layer.diffId, digestOf(tar));
  const seen: unknown[] = [];
  for await (const { header, resume } of Readable.from([tar]).pipe(extract())) {
    seen.push([header.name, header.type, header.mode, header.uid, header.mtime?.getTime()]);
    void resume;
  }
  assert.deepEqual(seen, [
    ['a/', 'directory', 0o755, 0, 0],
    ['a/link', 'symlink', 0o644, 0, 0],
    ['a/own/', 'directory', 0o700, 65532, 0],
    ['b/', 'directory', 0o755, 0, 0],
    ['b/two', 'file', 0o755, 0, 0],
  ]);
});

test('an image name has registry, repository and tag, or is refused', () => {
  assert.deepEqual(parseReference('localhost:5000/team/agent:v1'), {
    registry: 'localhost:5000',
    repository: 'team/agent',
    tag: 'v1',
  });
  assert.equal(parseReference('registry.example.com/agent').tag, 'latest');
  for (const bad of [
    'agent',
    'team/agent:v1',
    'r.example.com/Team/agent',
    'r.example.com/agent:',
    'https://r.example.com/a',
  ]) {
    assert.throws(() => parseReference(bad), /REGISTRY\/REPOSITORY:TAG/, bad);
  }
});

test('a challenge gives its scheme and parameters, quoted or not', () => {
  const header = 'Bearer realm="https://auth.example.com/token",service=reg, scope="repository:a/b:pull,push"';
  assert.deepEqual(parseChallenge(header), {
    scheme: 'bearer',
    realm: 'https://auth.example.com/token',
    service: 'reg',
    scope: 'repository:a/b:pull,push',
  });
  assert.deepEqual(parseChallenge('Basic realm="a \\"b\\""'), { scheme: 'basic', realm: 'a "b"' });
  assert.deepEqual(parseChallenge(''), { scheme: '' });
});
