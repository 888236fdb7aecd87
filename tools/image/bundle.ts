/**
 * Bundles a program and all it imports into one file. Files that the sources name with `new URL('./x', import.meta.url)`
 * come along: TypeScript as bundles of their own (worker threads), anything else as it is.
 */
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { badRequest } from '@drover/base';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { ignoreMissing } from '../files.ts';
import { root } from '../root.ts';
import { digestOf, hexOf } from './digest.ts';
import type { ImageFile } from './layer.ts';
import type { Platform } from './platform.ts';

/** Not to be bundled: it loads a file of the platform beside itself. */
const native = 'bufferutil';
/** Asked for by ssh2 and done without where it is not there, as in an image. */
const optional = 'cpu-features';

/** The program as files below `dir` in the image; `main.mjs` starts it. */
export async function bundle(main: string, dir: string, platform: Platform): Promise<ImageFile[]> {
  const entries = new Map([[join(root, main), 'main.mjs']]);
  const files = new Map<string, ImageFile>();
  const packages = new Set<string>();
  // Grows while it runs: a worker found in one bundle becomes the next.
  for (const [source, name] of entries) {
    const { outputFiles, metafile } = await build({
      ...settings,
      entryPoints: [source],
      plugins: [carryAlong(entries, file => files.set(file.path, { ...file, path: join(dir, file.path) }))],
    });
    files.set(name, { path: join(dir, name), bytes: outputFiles[0]!.contents });
    for (const input of Object.keys(metafile.inputs)) {
      const owner = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
      if (owner) packages.add(owner);
    }
  }
  const licenses = await licensesOf([...packages].sort());
  return [
    ...files.values(),
    ...(await nativeFiles(dir, platform)),
    { path: join(dir, 'LICENSES.txt'), bytes: licenses },
  ];
}

const settings = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  metafile: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  outfile: 'main.mjs',
  external: [native, optional] as string[],
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'silent',
  // CommonJS packages inside an ES module still ask for require().
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
} as const satisfies BuildOptions;

const urlOfFile = /new URL\(\s*(['"])(\.[^'"]+)\1\s*,\s*import\.meta\.url\s*,?\s*\)/g;

function carryAlong(entries: Map<string, string>, keep: (file: ImageFile) => void): Plugin {
  return {
    name: 'carry-along',
    setup({ onLoad }) {
      onLoad({ filter: /packages\/[^/]+\/src\/.*\.ts$/ }, args => {
        const source = readFileSync(args.path, 'utf8');
        const trap = /import\.meta\.(dirname|filename)/.exec(source);
        if (trap) {
          throw badRequest(
            `${relative(root, args.path)} uses ${trap[0]}, which a bundle changes: use new URL('./x', import.meta.url)`,
          );
        }
        const contents = source.replace(urlOfFile, (whole, _quote, path: string) => {
          const target = resolve(dirname(args.path), path);
          // A directory stays what it is: outside the checkout it does not exist, and the code has to bear that.
          if (!statSync(target, { throwIfNoEntry: false })?.isFile()) return whole;
          return `new URL('./${carried(target, entries, keep)}', import.meta.url)`;
        });
        return { contents, loader: 'ts' };
      });
    },
  };
}

function carried(target: string, entries: Map<string, string>, keep: (file: ImageFile) => void): string {
  if (target.endsWith('.ts')) {
    const name = `${basename(target, '.ts')}-${hexOf(digestOf(relative(root, target))).slice(0, 8)}.mjs`;
    if (!entries.has(target)) entries.set(target, name);
    return entries.get(target)!;
  }
  const bytes = readFileSync(target);
  const path = `data/${hexOf(digestOf(bytes)).slice(0, 8)}-${basename(target)}`;
  keep({ path, bytes });
  return path;
}

/** The native add-on with the prebuilt file for the platform; without one it is left out, and JavaScript does its work. */
async function nativeFiles(dir: string, { nodeArch }: Platform): Promise<ImageFile[]> {
  const parts = {
    [native]: ['package.json', 'index.js', 'fallback.js', 'LICENSE', `prebuilds/linux-${nodeArch}/bufferutil.node`],
    'node-gyp-build': ['package.json', 'index.js', 'node-gyp-build.js', 'LICENSE'],
  };
  const files: ImageFile[] = [];
  for (const [name, paths] of Object.entries(parts)) {
    for (const path of paths) {
      const bytes = await ignoreMissing(readFile(join(root, 'node_modules', name, path)));
      if (bytes) files.push({ path: join(dir, 'node_modules', name, path), bytes });
    }
  }
  return files.some(file => file.path.endsWith('.node')) ? files : [];
}

/** The licences of everything bundled, as they ask to be passed on. */
async function licensesOf(packages: readonly string[]): Promise<Buffer> {
  const texts = await Promise.all(
    packages.map(async path => {
      const { name, version, license } = JSON.parse(await readFile(join(root, path, 'package.json'), 'utf8'));
      let text: string | undefined;
      for (const file of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'License', 'LICENCE', 'LICENSE.MIT']) {
        text ??= await ignoreMissing(readFile(join(root, path, file), 'utf8'));
      }
      return `${name} ${version} (${license})\n\n${text?.trim() ?? 'Its package holds no licence text.'}\n`;
    }),
  );
  return Buffer.from(texts.join(`\n${'-'.repeat(80)}\n\n`));
}
