/** The pinned Node for a platform: from node_modules for this machine's own, else packed by npm and held against the lockfile. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { messageOf, notFound, unavailable } from '@drover/base';
import { extract } from 'tar-stream';
import { ignoreMissing } from '../files.ts';
import { cacheDir, root } from '../root.ts';
import type { Platform } from './platform.ts';

export interface NodeBinary {
  readonly version: string;
  readonly bytes: Buffer;
  readonly license: Buffer;
}

interface Locked {
  readonly version: string;
  readonly integrity: string;
}

/** Throws ServiceUnavailable when the package can't be fetched or its bytes are not those the lockfile names. */
export async function nodeBinary(platform: Platform): Promise<NodeBinary> {
  const locked = await lockedPackage(platform.nodePackage);
  const dir = join(root, 'node_modules', platform.nodePackage);
  const bytes = await ignoreMissing(readFile(join(dir, 'bin/node')));
  if (bytes) return { version: locked.version, bytes, license: await readFile(join(dir, 'LICENSE')) };
  const files = await readTarball(await tarball(platform.nodePackage, locked), ['package/bin/node', 'package/LICENSE']);
  return { version: locked.version, bytes: files[0]!, license: files[1]! };
}

async function lockedPackage(name: string): Promise<Locked> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const found = lock.packages[`node_modules/${name}`];
  if (!found) throw notFound('package in package-lock.json', name);
  return found;
}

async function tarball(name: string, locked: Locked): Promise<Buffer> {
  const dir = cacheDir('images', 'node');
  const path = join(dir, `${name}-${locked.version}.tgz`);
  const kept = await ignoreMissing(readFile(path));
  if (kept && matches(kept, locked.integrity)) return kept;
  const temporary = join(dir, `pack-${process.pid}`);
  await mkdir(temporary, { recursive: true });
  try {
    const args = ['pack', `${name}@${locked.version}`, '--pack-destination', temporary, '--silent'];
    await promisify(execFile)('npm', args, { cwd: root });
    const packed = join(temporary, `${name}-${locked.version}.tgz`);
    const bytes = await readFile(packed);
    if (!matches(bytes, locked.integrity)) throw unavailable('its bytes are not those of package-lock.json');
    await rename(packed, path);
    return bytes;
  } catch (error) {
    throw unavailable(`cannot get ${name}@${locked.version}: ${messageOf(error)}`, { cause: error });
  } finally {
    await rm(temporary, { recursive: true });
  }
}

/** Subresource integrity as npm writes it: `sha512-` and base64. */
function matches(bytes: Buffer, integrity: string): boolean {
  const [algorithm, expected] = integrity.split(/-(.*)/s);
  return createHash(algorithm!).update(bytes).digest('base64') === expected;
}

async function readTarball(bytes: Buffer, names: readonly string[]): Promise<Buffer[]> {
  const found = new Map<string, Buffer>();
  for await (const entry of Readable.from([bytes]).pipe(createGunzip()).pipe(extract())) {
    if (names.includes(entry.header.name)) found.set(entry.header.name, await buffer(entry));
    else entry.resume();
  }
  return names.map(name => {
    const file = found.get(name);
    if (!file) throw notFound('file in the package', name);
    return file;
  });
}
