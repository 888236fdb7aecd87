/** Reads the sources that the rules of the house apply to, with the packages that each may import. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Source } from './rules.ts';

const globs = ['packages/*/src/**/*.{ts,tsx}', 'tools/**/*.ts', 'test/**/*.ts'];

export function readSources(root: string): Source[] {
  const paths = globs.flatMap(glob => globSync(glob, { cwd: root, exclude: ['**/node_modules/**'] })).sort();
  const declared = new Map<string, ReadonlySet<string>>();
  return paths.map(path => {
    const owner = /^packages\/[^/]+\//.exec(path)?.[0] ?? '';
    if (!declared.has(owner)) declared.set(owner, declaredIn(root, owner));
    return { path, text: readFileSync(join(root, path), 'utf8'), declared: declared.get(owner)! };
  });
}

/** What package.json declares. Tests beside the code may use the root's development dependencies as well. */
function declaredIn(root: string, owner: string): ReadonlySet<string> {
  const read = (path: string) =>
    JSON.parse(readFileSync(join(root, path), 'utf8')) as Record<string, object | undefined>;
  const own = read(`${owner}package.json`);
  const names = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'].flatMap(kind =>
    Object.keys(own[kind] ?? {}),
  );
  return new Set([...names, ...Object.keys(read('package.json')['devDependencies'] ?? {})]);
}
