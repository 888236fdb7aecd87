/**
 * Makes a page the same in every run: what is made anew each time (ids, addresses, times, versions, lines of charts) gives way to the same
 * of its form.
 * A mask over it would hide how it sits on the page, which is what is looked at.
 */
import type { Page } from 'playwright-core';

const forms: readonly (readonly [RegExp, string])[] = [
  [/\b[a-z0-9]{50,60}_c-[a-z0-9]{5}\b/g, `${'abcdefghi'.repeat(6)}_c-abcde`],
  [/\b(c|u|p|m|token)-[a-z0-9]{5}\b/g, '$1-abcde'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '00000000-0000-4000-8000-000000000000'],
  [/-----BEGIN CERTIFICATE-----[^-]*/g, `-----BEGIN CERTIFICATE----- ${'ABCDEFGHIJKLMNOPQRST'.repeat(20)} `],
  [/\b[0-9a-f]{64}\b/g, '0123456789abcdef'.repeat(4)],
  [/\b[a-z0-9]{50,60}\b/g, 'abcdefghi'.repeat(6)],
  [/127\.0\.0\.1:\d+/g, '127.0.0.1:8443'],
  [/\bv1\.\d+\.\d+/g, 'v1.36.3'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-01-01T12:00:00Z'],
  [/\b[A-Z][a-z]{2} \d{1,2}, 20\d\d\b/g, 'Jan 1, 2026'],
  [/20\d\d年\d{1,2}月\d{1,2}日/g, '2026年1月1日'],
  [/\b\d{1,2}:\d\d:\d\d(\.\d+)?( | )[AP]M/g, '12:00:00 PM'],
  [/\b\d{1,2}:\d\d:\d\d(\.\d+)?/g, '12:00:00'],
  [/(?<!:)\b\d{1,2}:\d\d( | )?[AP]M/g, '12:00 PM'],
  [/^\d\d:\d\d$/g, '12:00'],
  [/^(\d+[smhdy]){1,2}$/g, '30m'],
  [/\((\d+[smhdy]){1,2} ago\)/g, '(30m ago)'],
  [/^"\d{3,6}"$/g, '"1000"'],
];

const source = `(forms => {
  const still = text => forms.reduce((said, [pattern, flags, words]) => said.replace(new RegExp(pattern, flags), words), text);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = still(node.data);
    if (text !== node.data) node.data = text;
  }
  for (const input of document.querySelectorAll('input, textarea')) {
    const text = still(input.value);
    if (input.type !== 'file' && text !== input.value) input.value = text;
  }
  for (const line of document.querySelectorAll('.chart svg path:not(.tick)')) line.setAttribute('d', 'M0 90H720');
})(${JSON.stringify(forms.map(([pattern, words]) => [pattern.source, pattern.flags, words]))})`;

/** What is on the screen now, made still, as a PNG. */
export async function takeStill(page: Page): Promise<Buffer> {
  await page.evaluate(source);
  return page.screenshot({ animations: 'disabled', scale: 'css' });
}
