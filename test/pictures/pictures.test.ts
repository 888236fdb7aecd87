/**
 * Every page looks as it did when somebody last looked at it and found it good: in both languages and themes, and on a phone. What has
 * changed is shown in a folder that the failure names; with DROVER_PICTURES=new it becomes what pages are held to from then on.
 */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { messageOf, until } from '@drover/base';
import type { Page } from 'playwright-core';
import { ignoreMissing } from '../../tools/files.ts';
import { compare } from '../../tools/pictures/compare.ts';
import { decodePng, encodePng, type Picture } from '../../tools/pictures/png.ts';
import { open, pages } from '../e2e/web-pages.ts';
import { setScene } from '../e2e/web-scene.ts';
import { missingWorld, openWorld, patienceMs, type World } from '../e2e/web-world.ts';
import { missingFonts, openFonts } from './fonts.ts';
import { takeStill } from './still.ts';

const skip = missingWorld() ?? missingFonts() ?? false;
const kept = fileURLToPath(new URL('seen/', import.meta.url));
const changedDir = join(tmpdir(), 'drover-pictures');
const isNew = process.env['DROVER_PICTURES'] === 'new';
/** Of all, those whose name has it: `home.zh`, `phone`. */
const wanted = new RegExp(process.env['DROVER_PICTURES_OF'] ?? '');
/** A letter is a few cells. */
const mostCells = 3;
/** Something may be on its way still: a page is looked at again until this is over. */
const restMs = 4000;

const scope = new AsyncDisposableStack();
let world: World;
let place: { readonly clusterId: string; readonly hostsId: string };

before(async () => {
  if (skip) return;
  const fonts = scope.use(await openFonts());
  world = scope.use(await openWorld({ browserEnv: fonts.env }));
  place = { clusterId: world.clusterId, ...(await setScene(world)) };
  // Looked at now and then; home and what opens over it show it from then on.
  await until(
    'what the cluster uses to be known',
    async () => {
      const { status } = await world.server.ask(
        world.admin,
        'GET',
        `/v1/management.cattle.io.clusters/${world.clusterId}`,
      );
      return status?.usage?.cpu !== undefined;
    },
    { timeoutMs: patienceMs },
  );
  await mkdir(kept, { recursive: true });
  await mkdir(changedDir, { recursive: true });
});
after(() => scope.disposeAsync());

const height = 720;
/** What opens over pages is looked at once in each theme and language, and on a phone. */
const screens = [
  { name: 'en-light', language: 'en', dark: false, width: 1280, isWhole: true },
  { name: 'en-dark', language: 'en', dark: true, width: 1280, isWhole: false },
  { name: 'zh-light', language: 'zh-CN', dark: false, width: 1280, isWhole: false },
  { name: 'zh-dark', language: 'zh-CN', dark: true, width: 1280, isWhole: true },
  { name: 'en-phone', language: 'en', dark: false, width: 360, isWhole: true },
  { name: 'zh-phone', language: 'zh-CN', dark: false, width: 360, isWhole: true },
];

for (const { name, isWhole, ...screen } of screens) {
  const cases = pages
    .filter(({ act }) => isWhole || !act)
    .map(one => ({ one, file: `${one.name}.${name}.png` }))
    .filter(({ file }) => wanted.test(file));
  if (cases.length === 0) continue;
  test(`every page looks as it did, ${name}`, { skip }, async () => {
    const { page, context } = await world.visit({ token: world.admin, height, ...screen });
    page.setDefaultTimeout(20_000);
    const changed: string[] = [];
    for (const { one, file } of cases) {
      if (one.outside) await context.clearCookies();
      try {
        await open(page, one, place, { anew: true });
        const said = isNew ? await keep(page, file) : await look(page, file);
        if (said) changed.push(said);
      } catch (error) {
        changed.push(`${one.name}: ${messageOf(error)}`);
      }
    }
    await context.close();
    assert.deepEqual(changed, [], `they are shown in ${changedDir}`);
  });
}

/** What has changed, in words, where something has. */
async function look(page: Page, file: string): Promise<string | undefined> {
  const bytes = await ignoreMissing(readFile(join(kept, file)));
  if (!bytes) return `${file}: nobody has looked at it yet`;
  const before = decodePng(bytes);
  const deadline = performance.now() + restMs;
  for (;;) {
    const now = decodePng(await takeStill(page));
    const { cells, marked } = compare(before, now);
    if (cells <= mostCells) return undefined;
    if (performance.now() < deadline) continue;
    await writeFile(join(changedDir, file), encodePng(now));
    await writeFile(join(changedDir, file.replace('.png', '.changed.png')), encodePng(marked));
    return `${file}: ${cells} places`;
  }
}

/** Keeps the picture once it stays as it is, unless the one that is kept shows the same. */
async function keep(page: Page, file: string): Promise<string | undefined> {
  const deadline = performance.now() + restMs;
  let last: Picture | undefined;
  for (;;) {
    const now = decodePng(await takeStill(page));
    if (last && compare(last, now).cells === 0) {
      const before = await ignoreMissing(readFile(join(kept, file)));
      if (!before || compare(decodePng(before), now).cells > 0) await writeFile(join(kept, file), encodePng(now));
      return undefined;
    }
    if (performance.now() > deadline) return `${file}: it does not come to rest`;
    last = now;
  }
}
