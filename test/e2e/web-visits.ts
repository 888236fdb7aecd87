/** The pages that tests have open, each with the last that went wrong in it: errors of its console, requests that failed or were refused. */
import type { Page } from 'playwright-core';

const mostLines = 20;
const pages = new Map<Page, string[]>();

/** Those that are open now, each once: who asks again gets those that were opened since. */
export function takeOpenPages(): readonly (readonly [Page, readonly string[]])[] {
  const open = [...pages];
  pages.clear();
  return open;
}

/** Watches a page until it is closed. */
export function watchPage(page: Page): void {
  const wrong: string[] = [];
  const note = (line: string): void => {
    wrong.push(line);
    if (wrong.length > mostLines) wrong.shift();
  };
  pages.set(page, wrong);
  page.once('close', () => pages.delete(page));
  page.on('pageerror', error => note(`exception: ${error.message}`));
  page.on('console', message => {
    // What was refused is told below with its address.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      note(`console: ${message.text()}`);
  });
  page.on('requestfailed', request =>
    note(`${request.method()} ${request.url()}: ${request.failure()?.errorText ?? 'failed'}`),
  );
  page.on('response', response => {
    if (response.status() >= 400) note(`${response.request().method()} ${response.url()}: ${response.status()}`);
  });
}
