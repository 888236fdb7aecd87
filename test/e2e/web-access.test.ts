/** No page keeps anybody out: axe finds nothing on any of them, in both themes and languages, and none is wider than a phone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { pages } from './web-pages.ts';
import { missingWorld, openWorld, shop, type World } from './web-world.ts';

const skip = missingWorld() ?? false;
let world: World;

before(async () => {
  if (skip) return;
  world = await openWorld();
  const [space, account, ...rest] = shop('shop', 2);
  await world.apply(space!, account!);
  await world.apply(...rest);
});
after(async () => world?.[Symbol.asyncDispose]());

async function violations(page: Page): Promise<string[]> {
  // As a debugger would, past the policy of the page, which lets nothing else run.
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe.source });
  const { result } = (await session.send('Runtime.evaluate', {
    expression: `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      JSON.stringify(violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(node => node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')).join(' | '))))`,
    awaitPromise: true,
    returnByValue: true,
  })) as { result: { value: string } };
  await session.detach();
  return JSON.parse(result.value) as string[];
}

for (const { dark, language } of [
  { dark: false, language: 'en' },
  { dark: true, language: 'zh-CN' },
]) {
  test(`axe finds nothing on any page, ${dark ? 'dark' : 'light'}, ${language}`, { skip }, async () => {
    const { page, context } = await world.visit({ token: world.admin, dark, language });
    const found: string[] = [];
    for (const { name, path, seen } of pages) {
      await page.goto(path.replace('ID', world.clusterId));
      await page.locator(seen).first().waitFor();
      found.push(...(await violations(page)).map(text => `${name}: ${text}`));
    }
    await page.keyboard.press('Control+k');
    await page.getByRole('option').first().waitFor();
    found.push(...(await violations(page)).map(text => `palette: ${text}`));
    await context.clearCookies();
    await page.goto('/ui/sign-in');
    await page.locator('form').waitFor();
    found.push(...(await violations(page)).map(text => `sign-in: ${text}`));
    await context.close();
    assert.deepEqual(found, []);
  });
}

test('no page is wider than a phone', { skip }, async () => {
  const { page, context } = await world.visit({ token: world.admin, width: 360 });
  const wide: string[] = [];
  for (const { name, path, seen } of pages) {
    await page.goto(path.replace('ID', world.clusterId));
    await page.locator(seen).first().waitFor();
    const width = await page.evaluate(
      'document.scrollingElement.scrollWidth + "/" + document.querySelector("main").scrollWidth',
    );
    if (width !== '360/360') wide.push(`${name}: ${width}`);
  }
  await context.close();
  assert.deepEqual(wide, []);
});
