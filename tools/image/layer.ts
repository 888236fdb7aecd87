/**
 * A layer: files packed so that the same files give the same bytes on every machine (sorted, no times, owned by root
 * unless told). Compressed layers are kept in the cache, since compressing Node takes seconds and its bytes never change.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { ignoreMissing } from '../files.ts';
import { cacheDir } from '../root.ts';
import { type Digest, digestOf } from './digest.ts';

export interface ImageFile {
  /** Absolute in the image. */
  readonly path: string;
  /** A directory has none; a string starting a symbolic link is given in `linkTo`. */
  readonly bytes?: Uint8Array;
  readonly linkTo?: string;
  readonly mode?: number;
  /** Owner and group, default root. */
  readonly owner?: number;
}

export interface Layer {
  /** Of the compressed bytes: what manifests and registries name it by. */
  readonly digest: Digest;
  /** Of the tar inside: what the image's configuration names it by. */
  readonly diffId: Digest;
  readonly bytes: Buffer;
  readonly createdBy: string;
}

/** Packs the files, with the directories above them, into a layer. */
export async function makeLayer(createdBy: string, files: readonly ImageFile[]): Promise<Layer> {
  const sorted = withDirectories(files).sort((a, b) => (a.path < b.path ? -1 : 1));
  const bytes = await compressed(fingerprint(sorted), () => tar(sorted));
  return { createdBy, ...bytes };
}

/** Every directory on the way gets an entry: a runtime would otherwise make it with a mode of its own. */
function withDirectories(files: readonly ImageFile[]): ImageFile[] {
  const all = new Map(files.map(file => [file.path, file]));
  for (const { path } of files) {
    for (let dir = posix.dirname(path); dir !== '/'; dir = posix.dirname(dir)) {
      if (!all.has(dir)) all.set(dir, { path: dir, mode: 0o755 });
    }
  }
  return [...all.values()];
}

async function tar(files: readonly ImageFile[]): Promise<Buffer> {
  const archive = pack();
  const whole = buffer(archive);
  for (const file of files) {
    const owner = file.owner ?? 0;
    const type = file.linkTo !== undefined ? 'symlink' : file.bytes ? 'file' : 'directory';
    const mode = file.mode ?? (type === 'directory' ? 0o755 : 0o644);
    const name = file.path.slice(1) + (type === 'directory' ? '/' : '');
    const header = { name, type, mode, uid: owner, gid: owner, mtime: new Date(0), linkname: file.linkTo } as const;
    if (file.bytes) archive.entry(header, Buffer.from(file.bytes.buffer, file.bytes.byteOffset, file.bytes.length));
    else archive.entry(header);
  }
  archive.finalize();
  return whole;
}

/** Names what goes into a layer, to find its compressed form again. */
function fingerprint(files: readonly ImageFile[]): string {
  const hash = createHash('sha256').update('layer format 1');
  for (const file of files) {
    hash.update(JSON.stringify([file.path, file.mode, file.owner, file.linkTo, file.bytes?.length]));
    if (file.bytes) hash.update(file.bytes);
  }
  return hash.digest('hex');
}

async function compressed(key: string, make: () => Promise<Buffer>): Promise<Omit<Layer, 'createdBy'>> {
  const path = join(cacheDir('images', 'layers'), key);
  const bytes = await ignoreMissing(readFile(`${path}.tar.gz`));
  const diffId = (await ignoreMissing(readFile(`${path}.diff-id`, 'utf8'))) as Digest | undefined;
  if (bytes && diffId) return { bytes, diffId, digest: digestOf(bytes) };
  const plain = await make();
  const made = await promisify(gzip)(plain, { level: 6 });
  // The header's last byte names the operating system that compressed.
  made[9] = 255;
  const layer = { bytes: made, diffId: digestOf(plain), digest: digestOf(made) };
  await keep(`${path}.tar.gz`, made);
  await keep(`${path}.diff-id`, layer.diffId);
  return layer;
}

/** Whole or not at all, also when two builds run side by side. */
async function keep(path: string, data: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, data);
  await rename(temporary, path);
}
