/**
 * What somebody in front of a list feels, measured in his browser: how soon rows stand there, stand in another order, show a change; and
 * the longest that the page was deaf, from a trace of its main thread.
 */
import { sleep } from '@drover/base';
import type { Browser, Page } from 'playwright-core';

/** Runs in the page before anything of it: answers the moment at which a condition first holds, looked at after each change of the page. */
const watching = `window.whenShown = (isThere, event) => new Promise(resolve => {
  let from = event ? undefined : 0;
  if (event) addEventListener(event, () => (from = performance.now()), { capture: true, once: true });
  const look = () => {
    if (from === undefined || !isThere()) return;
    observer.disconnect();
    resolve({ tookMs: performance.now() - from, atMs: performance.timeOrigin + performance.now() });
  };
  const observer = new MutationObserver(look);
  observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  look();
});
window.firstRow = () => document.querySelector('.list .rows .line');
window.isSettled = () => document.querySelector('.list')?.getAttribute('aria-busy') === 'false' && !document.querySelector('.list .ghost');
`;

export interface Shown {
  readonly tookMs: number;
  /** Since the epoch. */
  readonly atMs: number;
}

export const prepare = (page: Page): Promise<unknown> => page.addInitScript(watching);

/** From the beginning of a page's load until the condition holds in it. */
export const sinceLoad = (page: Page, condition: string): Promise<Shown> =>
  page.evaluate<Shown>(`whenShown(() => ${condition})`);

/** From an event that `act` brings about until the rows are others and nothing is on its way. */
export async function sinceEvent(page: Page, event: 'click' | 'input', act: () => Promise<unknown>): Promise<number> {
  const shown = page.evaluate<Shown>(`(() => {
    const before = firstRow()?.textContent;
    const count = document.querySelector('.list')?.getAttribute('aria-rowcount');
    return whenShown(() => isSettled() && (firstRow()?.textContent !== before || document.querySelector('.list').getAttribute('aria-rowcount') !== count), '${event}');
  })()`);
  await act();
  return (await shown).tookMs;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly args?: { readonly name?: string };
}

export interface Tasks {
  readonly longestMs: number;
  readonly over50: number;
}

/** Tasks of the page's main thread while `act` goes on. */
export async function tasksDuring(browser: Browser, page: Page, act: () => Promise<unknown>): Promise<Tasks> {
  const categories = ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'toplevel'];
  await browser.startTracing(page, { categories });
  await act();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: readonly TraceEvent[];
  };
  const busy = new Map<string, number[]>();
  const mains = traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  for (const { pid, tid } of mains) busy.set(`${pid} ${tid}`, []);
  for (const { name, ph, pid, tid, dur } of traceEvents)
    if (name === 'RunTask' && ph === 'X') busy.get(`${pid} ${tid}`)?.push((dur ?? 0) / 1000);
  // The page's own is the one that had the most to do.
  const all = [...busy.values()].sort((a, b) => b.length - a.length)[0] ?? [];
  if (all.length === 0) throw new Error('the trace holds no task of the page');
  return { longestMs: Math.max(...all), over50: all.filter(ms => ms > 50).length };
}

/** Rolls through the list for a while, fast and slow. */
export async function scroll(page: Page, ms: number): Promise<void> {
  await page.locator('.list').hover();
  const until = performance.now() + ms;
  for (let step = 0; performance.now() < until; step++) {
    await page.mouse.wheel(0, step % 40 < 30 ? 240 : -1600);
    await sleep(16);
  }
}
