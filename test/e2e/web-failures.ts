/**
 * What a page showed when a journey failed. Tests of the UI import this for what it does: a test that fails with pages open still keeps a
 * picture of each, and its failure says where they are, which addresses they show and what went wrong in them.
 */
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, type TestContext } from 'node:test';
import { messageOf } from '@drover/base';
import type { Page } from 'playwright-core';
import { takeOpenPages } from './web-visits.ts';

const dir = join(tmpdir(), 'drover-pages');
const pictureMs = 10_000;

// A page that its test has closed is not there any more: who came to the end has none.
afterEach(async context => {
  const { error, passed, name } = context as TestContext & { readonly error?: unknown; readonly passed: boolean };
  if (passed) return;
  const pages = takeOpenPages();
  if (pages.length === 0) return;
  await mkdir(dir, { recursive: true });
  const told = await Promise.all(pages.map(([page, wrong], at) => tell(page, wrong, fileOf(name, at))));
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return;
  const words = `\n${told.join('\n')}`;
  cause.stack = `${cause.stack ?? cause.message}${words}`;
  cause.message += words;
});

const fileOf = (test: string, at: number): string =>
  join(dir, `${test.replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 60)}.${at + 1}.png`);

async function tell(page: Page, wrong: readonly string[], path: string): Promise<string> {
  const picture = await page.screenshot({ path, timeout: pictureMs }).then(
    () => path,
    (failure: unknown) => `no picture: ${messageOf(failure)}`,
  );
  return [`${page.url()} is shown in ${picture}`, ...wrong.map(line => `  ${line}`)].join('\n');
}
