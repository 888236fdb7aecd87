/** What a browser loads before it shows anything stays small, and nothing of it is somebody else's host. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { brotliDecompressSync, gzipSync } from 'node:zlib';
import { root } from '../root.ts';
import { buildWeb, type WebBuild } from './build.ts';
import { firstLoad } from './first-load.ts';

const mostBytes = 250 * 1024;
const files = new Map<string, string>();

before(async () => {
  await buildWeb();
  const built = JSON.parse(await readFile(join(root, 'packages/web/dist/ui.json'), 'utf8')) as WebBuild;
  for (const [name, { body }] of Object.entries(built.files))
    files.set(name, brotliDecompressSync(Buffer.from(body, 'base64')).toString());
});

test('the first load is at most 250 KB of compressed script', t => {
  const all = firstLoad(files);
  assert.ok(all.size > 0);
  const bytes = [...all].reduce((sum, name) => sum + gzipSync(files.get(name)!, { level: 9 }).length, 0);
  t.diagnostic(`${all.size} files, ${(bytes / 1024).toFixed(1)} KB gzipped`);
  assert.ok(bytes <= mostBytes, `${bytes} bytes`);
});

test('editor and terminal are loaded only where they are needed', () => {
  for (const name of firstLoad(files)) assert.doesNotMatch(files.get(name)!, /cm-scroller|xterm-viewport/, name);
});

test('the page asks nobody else for anything, and holds no script without a nonce', () => {
  const page = files.get('index.html')!;
  assert.doesNotMatch(page, /(?:src|href)="(?!\/ui\/assets\/)/);
  for (const [tag] of page.matchAll(/<(?:script|link|style)\b[^>]*>/g))
    if (!/rel="icon"/.test(tag)) assert.match(tag, /nonce="__NONCE__"/, tag);
  for (const [name, text] of files) assert.doesNotMatch(text, /@import|url\(["']?https?:|fonts\.g/, name);
});
