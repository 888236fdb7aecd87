/**
 * What the journeys through the UI go through: a real server with the UI built, a real kube-apiserver behind its agent, and a real
 * browser. Each journey has a context of its own; whatever a page reports as an error is kept, so that a test can say there was none.
 */
import assert from 'node:assert/strict';
import { until } from '@drover/base';
import { type Browser, type BrowserContext, type Page, chromium as playwright } from 'playwright-core';
import { buildWeb } from '../../tools/web/build.ts';
import { chromium } from '../browser.ts';
import { missingApiServer, startApiServer, type TestApiServer } from '../integration/kube-apiserver.ts';
import { missingKubeBinaries } from '../integration/kube-binaries.ts';
import { adminPassword, type ServerProcess, startServer } from '../server-process.ts';
import { kubectl } from './kubectl.ts';
import { type FakeKubelet, startFakeKubelet } from './web-kubelet.ts';
import { watchPage } from './web-visits.ts';

export const patienceMs = 60_000;

/** Why it can't be had here. */
export const missingWorld = (): string | undefined =>
  chromium ? (missingApiServer() ?? missingKubeBinaries('kubectl')) : 'there is no Chromium on this machine';

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What pages should not have done: exceptions, violations of their policy. */
  readonly faults: readonly string[];
}

export interface VisitOptions {
  /** Whose session it is; nobody's without. */
  readonly token?: string;
  readonly dark?: boolean;
  readonly language?: string;
  readonly width?: number;
  readonly height?: number;
  readonly contrast?: boolean;
  /** For tests that add styles of their own: the page's policy does not hold then. */
  readonly bypassPolicy?: boolean;
}

export interface World extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly cluster: TestApiServer;
  readonly browser: Browser;
  readonly admin: string;
  readonly clusterId: string;
  /** Of `node-1`, where pods run that have logs and shells. */
  readonly kubelet: FakeKubelet;
  visit(options?: VisitOptions): Promise<Visit>;
  /** Runs kubectl as the cluster's administrator. */
  kubectl(...args: readonly string[]): Promise<string>;
  /** Makes or changes objects. */
  apply(...objects: readonly object[]): Promise<string>;
  /** Writes the status of objects, as controllers and kubelets do. */
  report(...objects: readonly object[]): Promise<string>;
}

export interface WorldOptions {
  /** What the browser sees in its environment beside what there is. */
  readonly browserEnv?: Readonly<Record<string, string>>;
  /** More flags of the server's, and of kube-apiserver's. */
  readonly args?: readonly string[];
  readonly clusterFlags?: readonly string[];
}

export async function openWorld({ browserEnv, args = [], clusterFlags = [] }: WorldOptions = {}): Promise<World> {
  await using scope = new AsyncDisposableStack();
  await buildWeb();
  const cluster: TestApiServer = scope.use(await startApiServer({ flags: clusterFlags }));
  const server = scope.use(
    await startServer({ args: ['--cluster', 'context:test', ...args], env: { KUBECONFIG: cluster.kubeconfigPath } }),
  );
  const kubelet = scope.use(await startFakeKubelet(cluster.ca));
  const admin = await server.login('admin', adminPassword);
  const clusterId = await until(
    'the cluster to be active',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
      return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
    },
    { timeoutMs: patienceMs },
  );
  const browser: Browser = await playwright.launch({
    executablePath: chromium!,
    args: ['--no-sandbox', '--force-color-profile=srgb'],
    ...(browserEnv ? { env: { ...(process.env as Record<string, string>), ...browserEnv } } : {}),
  });
  scope.defer(() => browser.close());
  const kept = scope.move();
  const run = (args: readonly string[], input?: string) =>
    kubectl(args, { kubeconfig: cluster.kubeconfigPath, ...(input ? { input } : {}) });
  const manifest = (objects: readonly object[]) => objects.map(object => JSON.stringify(object)).join('\n---\n');
  const apply = (...objects: readonly object[]) => run(['apply', '-f', '-'], manifest(objects));
  const reporting = [
    'apply',
    '--server-side',
    '--force-conflicts',
    '--field-manager=kubelet',
    '--subresource=status',
    '-f',
    '-',
  ];
  await apply(kubelet.node);
  await run(reporting, manifest([{ ...kubelet.node, status: kubelet.nodeStatus }]));
  return {
    server,
    cluster,
    browser,
    admin,
    clusterId,
    kubelet,
    visit: options => visit(browser, server.url, options ?? {}),
    kubectl: (...args) => run(args),
    apply,
    report: (...objects) => run(reporting, manifest(objects)),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function visit(browser: Browser, url: string, options: VisitOptions): Promise<Visit> {
  const { token, dark, language, width, height, contrast, bypassPolicy } = options;
  const context = await browser.newContext({
    baseURL: url,
    ignoreHTTPSErrors: true,
    colorScheme: dark ? 'dark' : 'light',
    locale: language ?? 'en',
    viewport: { width: width ?? 1280, height: height ?? 800 },
    reducedMotion: 'reduce',
    ...(bypassPolicy ? { bypassCSP: true } : {}),
  });
  context.setDefaultTimeout(patienceMs);
  if (token) await context.addCookies([{ name: 'R_SESS', value: token, url, secure: true, httpOnly: true }]);
  if (contrast) await context.addInitScript(() => localStorage.setItem('drover.contrast', '"high"'));
  context.on('page', watchPage);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', error => faults.push(`exception: ${error.message}`));
  page.on('console', message => {
    // An answer of 401 or 422 is what a journey may be about.
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text()))
      faults.push(message.text());
  });
  return { page, context, faults };
}

/** Closes it; whatever the page did that it should not have done fails the journey. */
export async function endVisit({ context, faults }: Visit): Promise<void> {
  await context.close();
  assert.deepEqual(faults, []);
}

/** Objects of a small shop: a Deployment of nginx with as many pods as are asked for, as if a kubelet ran them. */
export function shop(namespace: string, pods: number): object[] {
  const labels = { app: 'web' };
  const containers = [{ name: 'web', image: 'nginx:1.29' }];
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace },
      spec: {
        replicas: pods,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers } },
      },
    },
    ...Array.from({ length: pods }, (_, i) => pod(namespace, `web-${i}`, { labels, nodeName: 'node-1' })),
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db', namespace }, stringData: { password: 'hunter2' } },
  ];
}

/** One that is on no node is gone at once when it is deleted: nobody has to end it. */
export function pod(
  namespace: string,
  name: string,
  on: { readonly labels?: object; readonly nodeName?: string } = {},
): object {
  const { labels = {}, nodeName } = on;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      ...(nodeName ? { nodeName } : {}),
      containers: [{ name: 'web', image: 'nginx:1.29' }],
      automountServiceAccountToken: false,
    },
  };
}
