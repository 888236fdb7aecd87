/**
 * The web interface before large lists, in a real browser on loopback against a real kube-apiserver: what it loads, how soon it shows,
 * sorts, filters and follows, and what the server holds meanwhile. Aimed at: first load 250 KB, rows 300 ms, order and filter 200 ms,
 * no task over 50 ms, a change shown within 500 ms for nineteen in twenty.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliDecompressSync, gzipSync } from 'node:zlib';
import { sleep, until } from '@drover/base';
import type { Page } from 'playwright-core';
import { root } from '../../tools/root.ts';
import type { WebBuild } from '../../tools/web/build.ts';
import { firstLoad } from '../../tools/web/first-load.ts';
import { missingWorld, openWorld, type World } from '../e2e/web-world.ts';
import { inParallel } from './in-parallel.ts';
import { cpuUs, residentMb } from './process-figures.ts';
import { lower, type Row } from './row.ts';
import { crowdLags } from './web-crowd.ts';
import { configMapName, type Filling, openFilling } from './web-fill.ts';
import { prepare, scroll, sinceEvent, sinceLoad, tasksDuring } from './web-page.ts';

export const missing = missingWorld;

const hasRows = "firstRow()?.querySelector('a')";
const whole = { configMaps: 100_000, pods: 10_000, loads: 5, updates: 40, scrollMs: 10_000, browsers: 100, rounds: 20 };
const small = { configMaps: 5000, pods: 500, loads: 2, updates: 8, scrollMs: 3000, browsers: 20, rounds: 4 };

export async function run({ quick = false }: { readonly quick?: boolean } = {}): Promise<Row[]> {
  const scale = quick ? small : whole;
  const clusterFlags = ['--max-mutating-requests-inflight=1000', '--max-requests-inflight=1000'];
  await using world = await openWorld({ clusterFlags });
  await using filling = openFilling(world.cluster.connection);
  const seconds = await filling.fill(scale);
  process.stderr.write(`filled in ${seconds.toFixed(0)} s\n`);
  const pid = world.server.child.pid!;
  const emptyMb = await residentMb(pid);
  const rows = [
    lower('first load: script, gzipped', (await firstLoadBytes()) / 1024, 'KB'),
    ...(await loadRows(world, scale)),
    ...(await listRows(world, filling, scale)),
    lower('server memory: before lists', emptyMb, 'MB'),
    lower(`server memory: ${scale.configMaps} ConfigMaps and ${scale.pods} pods listed`, await residentMb(pid), 'MB'),
  ];
  return [...rows, ...(await crowdRows(world, filling, scale))];
}

/** The entry and all that it imports before it runs. */
async function firstLoadBytes(): Promise<number> {
  const { files } = JSON.parse(await readFile(join(root, 'packages/web/dist/ui.json'), 'utf8')) as WebBuild;
  const textOf = ({ body }: { readonly body: string }) => brotliDecompressSync(Buffer.from(body, 'base64')).toString();
  const texts = new Map(Object.entries(files).map(([name, file]) => [name, textOf(file)]));
  return [...firstLoad(texts)].reduce((sum, name) => sum + gzipSync(texts.get(name)!, { level: 9 }).length, 0);
}

/** In a browser that has nothing of it yet: the first that is seen, the rows, and that they are followed. */
async function loadRows(world: World, scale: typeof whole): Promise<Row[]> {
  const [paints, shown, live]: number[][] = [[], [], []];
  let coldMs = 0;
  for (let load = 0; load <= scale.loads; load++) {
    const { page, context } = await world.visit({ token: world.admin });
    await prepare(page);
    const started = Promise.withResolvers<number>();
    page.on('websocket', socket =>
      socket.on('framereceived', ({ payload }) => {
        if (/resource\.start/.test(String(payload)) && /"pod"/.test(String(payload))) started.resolve(Date.now());
      }),
    );
    await page.goto(`/ui/c/${world.clusterId}/pods`);
    const rows = await sinceLoad(page, hasRows);
    const liveMs = (await started.promise) - (rows.atMs - rows.tookMs);
    const paint = await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime");
    await context.close();
    // The first fills the server's cache.
    if (load === 0) coldMs = rows.tookMs;
    else {
      paints!.push(paint);
      shown!.push(rows.tookMs);
      live!.push(Math.max(liveMs, rows.tookMs));
    }
  }
  return [
    lower('a new browser: first contentful paint', median(paints!), 'ms'),
    lower(`a new browser: rows of ${scale.pods} pods`, median(shown!), 'ms'),
    lower('a new browser: rows that are followed', median(live!), 'ms'),
    lower(`the first look of all at ${scale.pods} pods`, coldMs, 'ms'),
  ];
}

async function listRows(world: World, filling: Filling, scale: typeof whole): Promise<Row[]> {
  const { page, context } = await world.visit({ token: world.admin });
  await prepare(page);
  const name = `${scale.configMaps} ConfigMaps`;
  const list = `/ui/c/${world.clusterId}/configmaps`;
  await page.goto(`/ui/c/${world.clusterId}`);
  await sinceLoad(page, "document.querySelector('.tiles')");
  const fromClick = async (kind: string): Promise<number> => {
    const link = page.locator(`nav.side a[href$="/${kind}"]`);
    const shown = page.evaluate<{ tookMs: number }>(
      `whenShown(() => location.pathname.endsWith('/${kind}') && isSettled() && ${hasRows}, 'click')`,
    );
    await link.click();
    return (await shown).tookMs;
  };
  const began = performance.now();
  const coldMs = await fromClick('configmaps');
  await page.locator('.reading').waitFor({ state: 'detached', timeout: 60_000 });
  const wholeMs = performance.now() - began;
  const first: number[] = [];
  for (const kind of ['pods', 'configmaps', 'pods', 'configmaps']) first.push(await fromClick(kind));
  await page.goto(list);
  await sinceLoad(page, hasRows);
  const heads = page.locator('.head button');
  const orders: number[] = [];
  for (const head of [0, 1, 1, 3, 3, 0]) orders.push(await sinceEvent(page, 'click', () => heads.nth(head).click()));
  const filters: number[] = [];
  for (const text of ['0042', '00421', '77', 'team-07', '9 !team-11', '123'])
    filters.push(await sinceEvent(page, 'input', () => page.locator('[data-filter]').fill(text)));
  await page.goto(list);
  await sinceLoad(page, hasRows);
  const tasks = await tasksDuring(world.browser, page, async () => {
    const stop = new AbortController();
    const changing = changeOften(filling, scale.configMaps, stop.signal);
    await scroll(page, scale.scrollMs);
    stop.abort();
    await changing;
  });
  await page.goto(list);
  await sinceLoad(page, hasRows);
  const updates = await updateLags(page, filling, scale.updates);
  await context.close();
  return [
    lower(`${name}: the first look of all, from a click`, coldMs, 'ms'),
    lower(`${name}: all are read after`, wholeMs, 'ms'),
    lower(`${name}, ${scale.pods} pods: first rows, from a click`, median(first), 'ms'),
    lower(`${name}, ${scale.pods} pods: first rows, the slowest`, Math.max(...first), 'ms'),
    lower(`${name}: another order`, median(orders), 'ms'),
    lower(`${name}: another order, the slowest`, Math.max(...orders), 'ms'),
    lower(`${name}: filter`, median(filters), 'ms'),
    lower(`${name}: filter, the slowest`, Math.max(...filters), 'ms'),
    lower(`${name}: longest task while scrolling and changing`, tasks.longestMs, 'ms'),
    lower(`${name}: tasks over 50 ms`, tasks.over50, ''),
    lower(`${name}: a change is shown, p50`, median(updates), 'ms'),
    lower(`${name}: a change is shown, p95`, p95(updates), 'ms'),
  ];
}

async function changeOften(filling: Filling, count: number, signal: AbortSignal): Promise<void> {
  for (let step = 0; !signal.aborted; step++) {
    await filling.setEntries(configMapName((step * 13) % Math.min(count, 400)), 1 + (step % 9));
    await sleep(50);
  }
}

/** From before the cluster is asked for the change until the page shows it. */
async function updateLags(page: Page, filling: Filling, rounds: number): Promise<number[]> {
  const lags: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const name = configMapName(round % 15);
    const entries = 10 + (round % 20);
    const row = `[...document.querySelectorAll('.rows .line')].find(one => one.textContent.includes('${name}'))`;
    const shown = page.evaluate<{ atMs: number }>(
      `whenShown(() => [...(${row}?.children ?? [])].some(one => one.textContent === '${entries}'))`,
    );
    const from = performance.timeOrigin + performance.now();
    await filling.setEntries(name, entries);
    lags.push((await shown).atMs - from);
    await sleep(100 + Math.random() * 700);
  }
  return lags;
}

async function crowdRows(world: World, filling: Filling, scale: typeof whole): Promise<Row[]> {
  const { server, admin, clusterId } = world;
  const users: string[] = [];
  await inParallel(10, async index => {
    const { id, token } = await server.makeUser(admin, `looker-${index}`);
    const body = { clusterId, roleTemplateId: 'cluster-owner', userId: id };
    await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', body);
    const path = `/k8s/clusters/${clusterId}/v1/configmaps?pagesize=1`;
    await until('his rights in the cluster', async () => (await server.fetch('GET', path, { token })).status === 200, {
      timeoutMs: 60_000,
    });
    users.push(token);
  });
  const tokens = Array.from({ length: scale.browsers }, (_, index) => users[index % users.length]!);
  const pid = server.child.pid!;
  const [cpu, began] = [await cpuUs(pid), performance.now()];
  const name = configMapName(3);
  const lags = await crowdLags(
    { server, clusterId, tokens, name, change: entries => filling.setEntries(name, entries) },
    scale.rounds,
  );
  const busy = ((await cpuUs(pid)) - cpu) / 10 / (performance.now() - began);
  const said = `${scale.browsers} browsers on one list`;
  return [
    lower(`${said}: a change has come, p50`, median(lags), 'ms'),
    lower(`${said}: a change has come, p95`, p95(lags), 'ms'),
    lower(`${said}: server CPU`, busy, '%'),
    lower(`${said}: server memory`, await residentMb(pid), 'MB'),
  ];
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const median = (values: readonly number[]) => sorted(values)[values.length >> 1]!;
const p95 = (values: readonly number[]) => sorted(values)[Math.floor(values.length * 0.95)]!;
