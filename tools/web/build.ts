/**
 * Builds the web UI with Vite into one file, `packages/web/dist/ui.json`: the page and its assets, already compressed, as the server
 * serves them. It is made again only when a source, the lockfile or this folder has changed.
 */
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { build, type Rolldown } from 'vite';
import { ignoreMissing } from '../files.ts';
import { root } from '../root.ts';

/** What the server reads; bodies are Brotli in base64. */
export interface WebBuild {
  readonly hash: string;
  readonly files: Readonly<Record<string, { readonly type: string; readonly body: string }>>;
}

const web = join(root, 'packages/web');
const target = join(web, 'dist/ui.json');
const compress = promisify(brotliCompress);
/** Stands where the server writes the nonce of each answer. */
const noncePlace = '__NONCE__';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

const sharedChunks = [
  {
    name: 'base',
    test: /node_modules\/(?:react|react-dom|scheduler|wouter|regexparam|i18next|react-i18next|@tanstack)\//,
  },
  { name: 'shared', test: /web\/src\/(?:app|list|net|parts|act)\// },
];

/** Makes it where what is there was made from something else; false where nothing had to be done. */
export async function buildWeb(): Promise<boolean> {
  const hash = sourceHash();
  const before = await ignoreMissing(readFile(target, 'utf8'));
  if (before?.startsWith(`{"hash":"${hash}"`)) return false;
  const output = await bundle();
  const files: Record<string, { type: string; body: string }> = {};
  for (const { name, content } of output.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
    const type = types[extname(name)] ?? 'application/octet-stream';
    files[name] = { type, body: (await compress(content, { params })).toString('base64') };
  }
  await mkdir(join(web, 'dist'), { recursive: true });
  const mine = `${target}.${process.pid}`;
  await writeFile(mine, JSON.stringify({ hash, files } satisfies WebBuild));
  await rename(mine, target);
  return true;
}

/** The files of the UI as they are served, not compressed. */
async function bundle(): Promise<{ name: string; content: Buffer }[]> {
  const built = (await build({
    root: web,
    base: '/ui/',
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    plugins: [react()],
    html: { cspNonce: noncePlace },
    build: {
      write: false,
      target: 'es2023',
      // It would be written into the page as an inline script for browsers that are too old for the rest as well.
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 2000,
      // What every page needs comes in few files, not in one for each set of pages that share something.
      rolldownOptions: { output: { codeSplitting: { groups: sharedChunks } } },
    },
  })) as Rolldown.RolldownOutput;
  return built.output.map(file => ({
    name: file.fileName,
    content: Buffer.from(file.type === 'chunk' ? file.code : file.source),
  }));
}

function sourceHash(): string {
  const hash = createHash('sha256');
  const own = globSync(['index.html', 'package.json', 'src/**/*.{ts,tsx,css,svg}'], { cwd: web })
    .filter(path => !path.endsWith('.test.ts'))
    .map(path => join('packages/web', path));
  for (const path of [...own, 'package-lock.json', 'tools/web/build.ts'].sort())
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  return hash.digest('hex').slice(0, 20);
}
