/**
 * The shared libraries that Node and native add-ons need and the certificates of public authorities: from Debian's packages
 * of the platform, else from this machine when it is of that platform.
 */
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf, notFound, unavailable } from '@drover/base';
import { ignoreMissing } from '../files.ts';
import { debianFiles, debianPackages, debianVersion } from './debian.ts';
import { needsOf } from './elf.ts';
import type { ImageFile } from './layer.ts';
import { isHere, type Platform } from './platform.ts';

const packages = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'ca-certificates'];
const bundlePath = '/etc/ssl/certs/ca-certificates.crt';
const bundlesElsewhere = [
  bundlePath,
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

export interface Libraries {
  readonly files: readonly ImageFile[];
  /** Where they come from, for the image's labels. */
  readonly origin: string;
}

/** Finds a library by its name (libc.so.6) or the loader by its path; undefined when this origin has none. */
type Find = (name: string) => Promise<ImageFile | undefined>;

/** Everything that `programs` need to start, and no more. */
export async function librariesFor(platform: Platform, programs: readonly ImageFile[]): Promise<Libraries> {
  try {
    return await fromDebian(platform, programs);
  } catch (error) {
    if (isHere(platform)) return fromMachine(platform, programs);
    throw unavailable(
      `no libraries for ${platform.name}: ${messageOf(error)}. Build on Debian or Ubuntu, on a Linux machine of that kind, or with the Dockerfile.`,
      { cause: error },
    );
  }
}

async function fromDebian(platform: Platform, programs: readonly ImageFile[]): Promise<Libraries> {
  const debs = await debianPackages(platform.name, packages);
  const files = (await Promise.all(debs.map(debianFiles))).flat();
  const byPath = new Map(files.map(file => [file.path, file]));
  const find: Find = async name => {
    const places = name.startsWith('/')
      ? [name, `/usr${name}`, `/lib/${platform.triplet}/${basename(name)}`]
      : [`/lib/${platform.triplet}/${name}`, `/usr/lib/${platform.triplet}/${name}`];
    const path = places.find(place => byPath.has(place));
    return path === undefined
      ? undefined
      : { path: name.startsWith('/') ? name : path, bytes: follow(byPath, path), mode: 0o755 };
  };
  const authorities = files.filter(file => /^\/usr\/share\/ca-certificates\/.*\.crt$/.test(file.path));
  const copyrights = files.filter(file => /^\/usr\/share\/doc\/[^/]+\/copyright$/.test(file.path) && file.bytes);
  const bundle = authorities
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(file => Buffer.from(file.bytes!).toString().trim());
  return {
    files: [
      ...(await closure(programs, find)),
      ...copyrights,
      { path: bundlePath, bytes: Buffer.from(`${bundle.join('\n')}\n`) },
    ],
    origin: (await Promise.all(debs.map(debianVersion))).sort().join(', '),
  };
}

/** Follows links inside the packages to the bytes at their end. */
function follow(byPath: ReadonlyMap<string, ImageFile>, path: string): Uint8Array {
  const file = byPath.get(path);
  if (file?.bytes) return file.bytes;
  if (file?.linkTo === undefined) throw notFound('library', path);
  return follow(byPath, file.linkTo.startsWith('/') ? file.linkTo : join(dirname(path), file.linkTo));
}

async function fromMachine(platform: Platform, programs: readonly ImageFile[]): Promise<Libraries> {
  const dirs = [`/lib/${platform.triplet}`, `/usr/lib/${platform.triplet}`, '/lib64', '/usr/lib64', '/lib', '/usr/lib'];
  const find: Find = async name => {
    for (const path of name.startsWith('/') ? [name] : dirs.map(dir => join(dir, name))) {
      const bytes = await ignoreMissing(realpath(path).then(real => readFile(real)));
      if (bytes) return { path, bytes, mode: 0o755 };
    }
    return undefined;
  };
  const files = await closure(programs, find);
  for (const path of bundlesElsewhere) {
    const bytes = await ignoreMissing(readFile(path));
    if (bytes) return { files: [...files, { path: bundlePath, bytes }], origin: 'the machine that built the image' };
  }
  throw notFound('bundle of certificate authorities', bundlesElsewhere.join(', '));
}

/** The libraries that the programs name, those that these name, and so on; throws NotFound for one that nobody has. */
async function closure(programs: readonly ImageFile[], find: Find): Promise<ImageFile[]> {
  const found = new Map<string, ImageFile>();
  const visit = async (file: ImageFile): Promise<void> => {
    const { loader, libraries } = needsOf(file.path, Buffer.from(file.bytes!));
    for (const name of loader === undefined ? libraries : [loader, ...libraries]) {
      // The loader is also named as a library; it stands at its own path already.
      if ([...found.keys()].some(known => basename(known) === basename(name))) continue;
      const library = await find(name);
      if (!library) throw notFound('shared library', `${name} (needed by ${file.path})`);
      found.set(name, library);
      await visit(library);
    }
  };
  for (const program of programs) await visit(program);
  return [...found.values()];
}
