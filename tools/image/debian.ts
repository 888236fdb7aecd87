/**
 * Fetches Debian packages of any architecture with an apt that has a state of its own: the machine's sources and keys, but
 * nothing of the machine changes. apt checks the signatures.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { messageOf, unavailable } from '@drover/base';
import { extract } from 'tar-stream';
import { ignoreMissing } from '../files.ts';
import { cacheDir } from '../root.ts';
import type { ImageFile } from './layer.ts';

const run = promisify(execFile);
const freshMs = 24 * 3600_000;

/** Paths of the .deb files, fetched at most a day ago; throws ServiceUnavailable where apt can't give them. */
export async function debianPackages(arch: string, names: readonly string[]): Promise<string[]> {
  const dir = cacheDir('images', 'debian', arch);
  const age = await ignoreMissing(stat(join(dir, 'complete')));
  if (!age || Date.now() - age.mtimeMs > freshMs) await refresh(dir, arch, names);
  const files = (await readdir(dir)).filter(file => file.endsWith('.deb')).sort();
  return files.map(file => join(dir, file));
}

async function refresh(dir: string, arch: string, names: readonly string[]): Promise<void> {
  const work = `${dir}.${process.pid}`;
  try {
    for (const sub of ['debs', 'state/lists/partial', 'cache/archives/partial'])
      await mkdir(join(work, sub), { recursive: true });
    await writeFile(join(work, 'status'), '');
    const options = {
      'Dir::State': join(work, 'state'),
      'Dir::State::status': join(work, 'status'),
      'Dir::Cache': join(work, 'cache'),
      'APT::Architecture': arch,
      'APT::Architectures::': arch,
      'APT::Sandbox::User': 'root',
    };
    const flags = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
    const apt = (...args: string[]) => run('apt-get', ['-q', ...flags, ...args], { cwd: join(work, 'debs') });
    // A source that does not serve this architecture fails here; what matters is whether the packages come.
    const update = await apt('update').then(() => undefined, messageOf);
    await apt('download', ...names).catch((error: unknown) => {
      throw update === undefined ? error : new Error(`${messageOf(error)}\n${update}`);
    });
    await writeFile(join(work, 'debs', 'complete'), '');
    await rm(dir, { recursive: true, force: true });
    await rename(join(work, 'debs'), dir);
  } catch (error) {
    throw unavailable(`apt has no ${names.join(', ')} for ${arch}: ${messageOf(error)}`, { cause: error });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The files of a .deb, with absolute paths; links as links. */
export async function debianFiles(deb: string): Promise<ImageFile[]> {
  const { stdout } = await run('dpkg-deb', ['--fsys-tarfile', deb], {
    encoding: 'buffer',
    maxBuffer: 256 * 1024 * 1024,
  });
  const files: ImageFile[] = [];
  for await (const entry of Readable.from([stdout]).pipe(extract())) {
    const { name, type, mode, linkname } = entry.header;
    const path = `/${name.replace(/^\.?\//, '')}`;
    if (type === 'file') files.push({ path, bytes: await buffer(entry), mode });
    else if (type === 'symlink') files.push({ path, linkTo: linkname ?? '', mode });
    entry.resume();
  }
  return files;
}

/** Name and version of a .deb, e.g. `libc6 2.36-9+deb12u10`. */
export async function debianVersion(deb: string): Promise<string> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholders
  const { stdout } = await run('dpkg-deb', ['--show', '--showformat=${Package} ${Version}', deb]);
  return stdout;
}
