/**
 * Every page of the UI, and what opens over pages, as those tests go through them that look at all: what it is called, where it is, what
 * is done there, and what shows that it is there. They are pages of what `web-scene.ts` sets.
 */
import type { Page } from 'playwright-core';

export interface PageCase {
  readonly name: string;
  /** `ID` stands for the cluster, `HOSTS` for the one that is to be made of hosts. */
  readonly path: string;
  /** Something that is there once the page is. */
  readonly seen: string;
  /** What is done there before it is looked at. */
  readonly act?: (page: Page) => Promise<unknown>;
  /** What shows that it was done. */
  readonly done?: string;
  /** Nobody is signed in. */
  readonly outside?: boolean;
}

const cluster = (path = '') => `/ui/c/ID${path}`;
const click = (selector: string) => (page: Page) => page.locator(selector).first().click();
const dialog = 'dialog[open] .dialog-body';
const menu = '.menu:popover-open';

export const pages: readonly PageCase[] = [
  { name: 'home', path: '/ui/', seen: '.clusters' },
  { name: 'import', path: '/ui/import', seen: 'form' },
  { name: 'import-command', path: '/ui/import/HOSTS', seen: '.steps .current' },
  { name: 'create-cluster', path: '/ui/create-cluster', seen: 'form' },
  {
    name: 'create-cluster-ssh',
    path: '/ui/create-cluster',
    seen: 'form',
    act: page => page.locator('input[name=how]').nth(1).check(),
    done: 'textarea',
  },
  { name: 'across', path: '/ui/across/apps.deployments', seen: '.rows .line' },
  { name: 'users', path: '/ui/users', seen: 'table' },
  { name: 'user-add', path: '/ui/users', seen: 'table', act: click('.title .primary'), done: dialog },
  { name: 'groups', path: '/ui/groups', seen: '.notice' },
  { name: 'roles', path: '/ui/roles', seen: 'table' },
  { name: 'role-add', path: '/ui/roles', seen: 'table', act: click('.title .primary'), done: dialog },
  { name: 'keys', path: '/ui/tokens', seen: 'table' },
  { name: 'key-add', path: '/ui/tokens', seen: 'table', act: click('.title .primary'), done: dialog },
  { name: 'second-factor', path: '/ui/account', seen: '.notice' },
  { name: 'providers', path: '/ui/providers', seen: 'table' },
  { name: 'provider', path: '/ui/providers/openldap', seen: '.provider form' },
  { name: 'audit', path: '/ui/audit', seen: '.notice' },
  { name: 'settings', path: '/ui/settings', seen: 'table' },
  { name: 'cluster', path: cluster(), seen: '.trouble' },
  { name: 'usage', path: cluster('/usage'), seen: '.chart' },
  { name: 'hosts', path: '/ui/c/HOSTS/hosts', seen: 'main section .notice' },
  { name: 'members', path: cluster('/members'), seen: '.notice' },
  { name: 'member-add', path: cluster('/members'), seen: '.notice', act: click('.title .primary'), done: dialog },
  { name: 'other-kinds', path: cluster('/kinds'), seen: 'table' },
  { name: 'map', path: cluster('/map?ns=shop'), seen: '.map-node' },
  { name: 'map-list', path: cluster('/map?ns=shop&view=list'), seen: '.map-list' },
  { name: 'timeline', path: cluster('/apps.deployments/shop/web?tab=history'), seen: '.history' },
  { name: 'nodes', path: cluster('/nodes'), seen: '.rows .line' },
  { name: 'node', path: cluster('/nodes/node-2'), seen: '.facts-page table' },
  { name: 'namespaces', path: cluster('/namespaces'), seen: '.rows .line' },
  { name: 'events', path: cluster('/events'), seen: '.rows .line' },
  { name: 'workloads', path: cluster('/workloads'), seen: '.rows .line' },
  { name: 'pods', path: cluster('/pods'), seen: '.rows .line' },
  { name: 'pods-chosen', path: cluster('/pods'), seen: '.rows .line', act: chooseTwo, done: '.selection' },
  {
    name: 'columns',
    path: cluster('/pods'),
    seen: '.rows .line',
    act: page => page.locator('.tools .tight > button').last().click(),
    done: menu,
  },
  { name: 'filtered-empty', path: cluster('/pods?q=nowhere'), seen: '.notice' },
  { name: 'empty', path: cluster('/networking.k8s.io.networkpolicies'), seen: '.notice' },
  { name: 'services', path: cluster('/services?ns=shop'), seen: '.rows .line' },
  { name: 'custom', path: cluster('/example.org.backups'), seen: '.rows .line' },
  { name: 'create', path: cluster('/create/apps.deployments?ns=shop'), seen: '.object-form' },
  { name: 'create-service', path: cluster('/create/services?ns=shop'), seen: '.object-form' },
  { name: 'create-cron-job', path: cluster('/create/batch.cronjobs?ns=shop'), seen: '.object-form' },
  { name: 'create-ingress', path: cluster('/create/networking.k8s.io.ingresses?ns=shop'), seen: '.object-form' },
  { name: 'deployment', path: cluster('/apps.deployments/payments/api'), seen: '.facts-page .rows .line' },
  {
    name: 'scale',
    path: cluster('/apps.deployments/shop/web'),
    seen: '.facts-page .rows .line',
    act: click('.title .row > button:nth-of-type(1)'),
    done: dialog,
  },
  {
    name: 'remove',
    path: cluster('/namespaces/payments'),
    seen: '.facts-page',
    act: click('.title .danger'),
    done: dialog,
  },
  { name: 'pod', path: cluster('/pods/payments/api-6d5f7c9b4-x2x7q'), seen: '.embedded .rows .line' },
  { name: 'secret', path: cluster('/secrets/shop/db'), seen: '.datum' },
  { name: 'config-map', path: cluster('/configmaps/shop/settings'), seen: '.datum' },
  { name: 'yaml', path: cluster('/apps.deployments/shop/web?tab=yaml'), seen: '.cm-line' },
  { name: 'logs', path: cluster('/pods/shop/web-0?tab=logs'), seen: '.log-line[data-index="5"]' },
  { name: 'terminal', path: cluster('/pods/shop/web-0?tab=terminal'), seen: '.dock .xterm-rows' },
  { name: 'apply', path: cluster(), seen: '.trouble', act: click('.title button'), done: dialog },
  {
    name: 'palette',
    path: cluster(),
    seen: '.trouble',
    act: lookLately,
    done: '[role=option]',
  },
  { name: 'keys-sheet', path: '/ui/', seen: '.clusters', act: page => page.keyboard.press('?'), done: dialog },
  { name: 'account', path: '/ui/', seen: '.clusters', act: click('.top .account'), done: menu },
  { name: 'nowhere', path: '/ui/nowhere/at/all', seen: '.notice' },
  { name: 'sign-in', path: '/ui/sign-in', seen: 'form', outside: true },
];

/** Opens the palette as if one had been at these (addresses there lack `/ui`), whichever pages were gone through before. */
async function lookLately(page: Page): Promise<void> {
  const been = [
    ['', 'test'],
    ['/pods/shop/web-0', 'web-0 · Pod'],
    ['/apps.deployments/shop/web', 'web · Deployment'],
    ['/secrets/shop/db', 'db · Secret'],
  ];
  await page.evaluate(
    `localStorage.setItem('drover.recent', JSON.stringify(${JSON.stringify(been)}.map(([path, title]) => ({ address: location.pathname.slice(3) + path, title }))))`,
  );
  await page.keyboard.press('Control+k');
}

async function chooseTwo(page: Page): Promise<void> {
  for (const row of [1, 2]) await page.locator('.rows .line').nth(row).getByRole('checkbox').check();
}

const before = new WeakMap<Page, PageCase>();

/**
 * Goes there and does what is to be done; the page is as it is to be looked at then. Like somebody who clicks, without loading everything
 * anew, where the page before has left nothing open: it takes a tenth of the time.
 */
export async function open(
  page: Page,
  one: PageCase,
  { clusterId, hostsId }: { readonly clusterId: string; readonly hostsId: string },
  { anew = false }: { readonly anew?: boolean } = {},
): Promise<void> {
  const { path, seen, act, done, outside } = one;
  const last = before.get(page);
  before.set(page, one);
  const address = path.replace('HOSTS', hostsId).replace('ID', clusterId);
  if (!last || last.act || last.name === 'terminal' || outside || anew) {
    // The shells of the page before stay in the dock otherwise.
    if (last) await page.evaluate('sessionStorage.clear()');
    await page.goto(address);
  } else {
    const drawn = 'new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))';
    await page.evaluate(`history.pushState(null, '', ${JSON.stringify(address)}); ${drawn}`);
  }
  await page.locator(seen).first().waitFor();
  if (!act) return;
  await act(page);
  await page
    .locator(done ?? seen)
    .first()
    .waitFor();
}
