/** Journeys into containers: shells that stay, files that go both ways, and tools that a pod lacks. */
import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import './web-failures.ts';
import { endVisit as end, missingWorld, openWorld, patienceMs, shop, type Visit, type World } from './web-world.ts';

const skip = missingWorld() ?? false;
let world: World;
let dir: string;

before(async () => {
  if (skip) return;
  dir = await mkdtemp(join(tmpdir(), 'drover-container-'));
  world = await openWorld();
  const [space, account, ...rest] = shop('shop', 2);
  await world.apply(space!, account!);
  await world.apply(...rest);
});
after(async () => {
  await world?.[Symbol.asyncDispose]();
  if (dir) await rm(dir, { recursive: true });
});

const inCluster = (path = '') => `/ui/c/${world.clusterId}${path}`;
const asAdmin = () => world.visit({ token: world.admin });
const screen = ({ page }: Visit) => page.locator('.dock-panel:not([hidden]) .xterm-rows');

test('a shell stays while one goes elsewhere, through a break of the network, and when the page is loaded anew', {
  skip,
}, async () => {
  const visit = await asAdmin();
  const { page, context } = visit;
  await page.goto(inCluster('/pods/shop/web-0?tab=terminal'));
  await screen(visit).getByText('$').first().waitFor();
  await page.keyboard.type('answer=42\n');
  await screen(visit).getByText('answer=42').waitFor();
  await page.getByRole('navigation', { name: 'In this cluster' }).getByRole('link', { name: /Nodes/ }).click();
  await page.getByRole('heading', { name: 'Nodes', exact: true }).waitFor();
  await page.locator('.dock .xterm-helper-textarea').first().focus();
  await page.keyboard.type('echo still $answer\n');
  await screen(visit).getByText('still 42').waitFor();
  await context.setOffline(true);
  await page.getByRole('status').getByText('The shell goes on meanwhile').waitFor();
  await page.keyboard.type('echo typed while away $answer\n');
  await context.setOffline(false);
  await screen(visit).getByText('typed while away 42').waitFor();
  await page.reload();
  await screen(visit).getByText('typed while away 42').waitFor();
  await page.locator('.dock .xterm-helper-textarea').first().focus();
  await page.keyboard.type('echo again $answer\n');
  await screen(visit).getByText('again 42').waitFor();
  await page.getByRole('button', { name: 'Fold the terminals away' }).click();
  await page.getByRole('button', { name: 'Show the terminals' }).click();
  await page.getByRole('button', { name: 'End web-0 · web' }).click();
  await page.getByRole('region', { name: 'Terminals' }).waitFor({ state: 'detached' });
  await end(visit);
});

/** As a scheduler and a kubelet would. */
async function runPod(name: string): Promise<void> {
  const metadata = { name, namespace: 'cattle-system' };
  const target = { apiVersion: 'v1', kind: 'Node', name: 'node-1' };
  const binding = join(dir, 'binding.json');
  await writeFile(binding, JSON.stringify({ apiVersion: 'v1', kind: 'Binding', metadata, target }));
  await world.kubectl('create', '-f', binding);
  const started = { image: 'x', imageID: '', ready: true, restartCount: 0, state: { running: {} } };
  const status = { phase: 'Running', containerStatuses: [{ name: 'shell', ...started }] };
  await world.report({ apiVersion: 'v1', kind: 'Pod', metadata, status });
}

test('a kubectl shell opens in the dock, tells what it waits for, and leaves nothing when it is ended', {
  skip,
}, async () => {
  const { server, admin } = world;
  const [space, account] = shop('cattle-system', 0);
  await world.apply(space!, account!);
  await server.ask(admin, 'PUT', '/v3/settings/server-url', { value: 'https://drover.test' });
  const shellPods = async () =>
    (await world.kubectl('get', 'pods', '-n', 'cattle-system', '-o', 'name')).split('\n').filter(Boolean);
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/nodes'));
  await page.getByRole('button', { name: 'kubectl shell', exact: true }).click();
  await page.getByRole('tab', { name: 'kubectl · test', selected: true }).waitFor();
  await screen(visit).getByText('no node has taken it yet').waitFor();
  const [pod] = await shellPods();
  await runPod(pod!.replace('pod/', ''));
  await screen(visit).getByText('k is kubectl').waitFor();
  await screen(visit).getByText('$').first().waitFor();
  await page.keyboard.type('grep -c drover.test/k8s/clusters $KUBECONFIG; echo a$((41+1))\n');
  await screen(visit).getByText('a42').waitFor();
  // The same key shows the one that is there.
  await page.getByRole('button', { name: 'Fold the terminals away' }).click();
  await page.keyboard.press('Control+`');
  await screen(visit).getByText('a42').waitFor();
  await page.getByRole('button', { name: 'End kubectl · test' }).click();
  await until('its pod to be gone', async () => (await shellPods()).length === 0);
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').getByRole('combobox').fill('kubectl');
  await page.getByRole('dialog').getByRole('option', { name: 'kubectl shell' }).waitFor();
  await page.keyboard.press('Escape');
  await server.ask(admin, 'PUT', '/v3/features/cluster-shell', { value: false });
  await page.reload();
  await page.getByRole('button', { name: 'kubectl shell: Kubectl shells are switched off on this server.' }).waitFor();
  await server.ask(admin, 'PUT', '/v3/features/cluster-shell', { value: true });
  await server.ask(admin, 'PUT', '/v3/settings/server-url', { value: '' });
  await end(visit);
});

test('a container with tools joins a pod, and a shell opens in it once it runs', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  await page.goto(inCluster('/pods/shop/web-1?tab=terminal'));
  await screen(visit).getByText('$').first().waitFor();
  await page.getByRole('button', { name: 'Debug container' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click();
  const row = page.getByRole('listitem').filter({ hasText: /^debug-/ });
  await row.getByText('Waiting').waitFor();
  const name = (await row.locator('.strong').textContent()) ?? '';
  const told = await world.kubectl(
    'get',
    'pod',
    '-n',
    'shop',
    'web-1',
    '-o',
    'jsonpath={.spec.ephemeralContainers[0]}',
  );
  assert.match(told, /"targetContainerName":"web"/);
  // What a kubelet says once it has started it.
  const running = { name, image: 'busybox:1.37', imageID: '', ready: false, restartCount: 0 };
  const status = {
    ephemeralContainerStatuses: [{ ...running, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }],
  };
  await world.kubectl(
    'patch',
    'pod',
    '-n',
    'shop',
    'web-1',
    '--subresource=status',
    '--type=merge',
    '-p',
    JSON.stringify({ status }),
  );
  await row.getByRole('button', { name: 'Terminal' }).click();
  await page.getByRole('tab', { name: `web-1 · ${name}`, selected: true }).waitFor();
  await screen(visit).getByText('$').first().waitFor();
  await end(visit);
});

const pieceBytes = 1 << 20;
const pieces = 500;

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path)) hash.update(bytes as Buffer);
  return hash.digest('hex');
}

test('files of 500 MB go into a container and out of it, unharmed', { skip }, async () => {
  const visit = await asAdmin();
  const { page } = visit;
  const file = await open(join(dir, 'big.bin'), 'w');
  const piece = Buffer.alloc(pieceBytes);
  for (let i = 0; i < pieces; i++) await file.write(randomFillSync(piece));
  await file.close();
  const digest = await digestOf(join(dir, 'big.bin'));
  await mkdir(join(dir, 'var'));
  await page.goto(inCluster(`/pods/shop/web-0?tab=files&path=${encodeURIComponent(dir)}`));
  await page.getByRole('link', { name: 'big.bin' }).waitFor();
  await page.getByRole('button', { name: 'var' }).click();
  await page.getByText('Nothing in here').waitFor();
  await page.getByLabel('Upload').setInputFiles(join(dir, 'big.bin'));
  await page.getByRole('progressbar', { name: 'big.bin' }).waitFor();
  await page.getByRole('link', { name: 'big.bin' }).waitFor({ timeout: 5 * patienceMs });
  await page.getByText('500 MiB').waitFor();
  assert.equal(await digestOf(join(dir, 'var', 'big.bin')), digest);
  const coming = page.waitForEvent('download');
  await page.getByRole('link', { name: 'big.bin' }).click();
  const download = await coming;
  // An error comes under the name of the path that answered it.
  if (download.suggestedFilename() !== 'big.bin')
    assert.fail(`${download.url()}: ${(await download.failure()) ?? (await readFile(await download.path(), 'utf8'))}`);
  const path = join(dir, 'came-back.bin');
  await download.saveAs(path);
  await until('all of it', async () => (await stat(path)).size === pieces * pieceBytes);
  assert.equal(await digestOf(path), digest);
  await page.getByRole('button', { name: '/', exact: true }).click();
  await page.getByRole('button', { name: 'etc' }).waitFor();
  await page.goto(inCluster('/pods/shop/web-0?tab=files&path=/no/such/folder'));
  await page.getByRole('alert').getByText('It is not there').waitFor();
  await end(visit);
});
