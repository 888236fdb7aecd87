/**
 * A copy of the checkout to mutate. Its node_modules is made of links to the real one's packages, but those of the house
 * lead into the copy: else the tests would quietly run against the unmutated code.
 */
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { ignoreMissing } from '../files.ts';

const left = new Set(['node_modules', 'dist', '.git']);

/** Copies `from` to `to`, which must not exist yet. */
export async function copyTree(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    filter: path => path === from || !(left.has(basename(path)) || basename(path).startsWith('.drover-')),
  });
  await linkModules(join(from, 'node_modules'), join(to, 'node_modules'));
  for (const name of await readdir(join(from, 'packages'))) {
    const own = join('packages', name, 'node_modules');
    if (await ignoreMissing(readdir(join(from, own)))) await linkModules(join(from, own), join(to, own));
  }
}

async function linkModules(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    if (name === '@drover') await linkHouse(from, to);
    else if (!name.startsWith('.') || name === '.bin') await symlink(join(from, name), join(to, name));
  }
}

async function linkHouse(from: string, to: string): Promise<void> {
  await mkdir(join(to, '@drover'));
  for (const name of await readdir(join(from, '@drover'))) {
    const target = join(to, '..', 'packages', name);
    await symlink(relative(join(to, '@drover'), target), join(to, '@drover', name));
  }
}
