/** No page keeps anybody out: axe finds nothing on any of them, in both themes and languages, and none is wider than a phone. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import './web-failures.ts';
import { open, pages } from './web-pages.ts';
import { setScene } from './web-scene.ts';
import { missingWorld, openWorld, type VisitOptions, type World } from './web-world.ts';

const skip = missingWorld() ?? false;
let world: World;
let place: { readonly clusterId: string; readonly hostsId: string };

before(async () => {
  if (skip) return;
  world = await openWorld();
  place = { clusterId: world.clusterId, ...(await setScene(world)) };
});
after(async () => world?.[Symbol.asyncDispose]());

async function violations(page: Page): Promise<string[]> {
  // As a debugger would, past the policy of the page, which lets nothing else run.
  const session = await page.context().newCDPSession(page);
  const isThere = await page.evaluate<boolean>('"axe" in window');
  if (!isThere) await session.send('Runtime.evaluate', { expression: axe.source });
  const { result } = (await session.send('Runtime.evaluate', {
    expression: `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      JSON.stringify(violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(node => node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')).join(' | '))))`,
    awaitPromise: true,
    returnByValue: true,
  })) as { result: { value: string } };
  await session.detach();
  return JSON.parse(result.value) as string[];
}

/** What `faults` finds on any page, each with the page's name. */
async function walk(options: VisitOptions, faults: (page: Page) => Promise<readonly string[]>): Promise<string[]> {
  const { page, context } = await world.visit({ token: world.admin, ...options });
  const found: string[] = [];
  for (const one of pages) {
    if (one.outside) await context.clearCookies();
    await open(page, one, place);
    found.push(...(await faults(page)).map(text => `${one.name}: ${text}`));
  }
  await context.close();
  return found;
}

// At once: one waits for the network while another draws.
suite('every page', { concurrency: 3, skip }, () => {
  test('axe finds nothing, light, in English', async () => {
    assert.deepEqual(await walk({ language: 'en' }, violations), []);
  });

  test('axe finds nothing, dark, in Chinese', async () => {
    assert.deepEqual(await walk({ language: 'zh-CN', dark: true }, violations), []);
  });

  test('none is wider than a phone', async () => {
    const found = await walk({ width: 360 }, async page => {
      const widths = await page.evaluate<string>(
        'document.scrollingElement.scrollWidth + "/" + document.querySelector("main").scrollWidth',
      );
      return widths === '360/360' ? [] : [widths];
    });
    assert.deepEqual(found, []);
  });
});
