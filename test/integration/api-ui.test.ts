/**
 * The API's pages in a real browser: signing in and out, creating, changing, acting, filtering and deleting by their forms;
 * and a corpus of stored script that must stay text.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { openTestApi, type TestApi } from '../../packages/server/src/api/fixture.ts';
import { type Browser, chromium, startBrowser, type Tab } from '../browser.ts';

const skip = chromium ? false : 'there is no Chromium on this machine';

let api: TestApi;
let browser: Browser;
before(async () => {
  if (skip) return;
  api = await openTestApi();
  browser = await startBrowser();
});
after(async () => {
  await browser?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

const signedIn = (more: { language?: string; dark?: boolean } = {}) =>
  browser.open({ cookies: { R_SESS: api.admin }, origin: api.url, ...more });

/** Clicks what the selector finds first, as a person would who sees it. */
const click = (tab: Tab, selector: string) =>
  tab.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
const fill = (tab: Tab, selector: string, value: string) =>
  tab.evaluate(`(control => {
    control.value = ${JSON.stringify(value)};
    control.dispatchEvent(new Event('input', { bubbles: true }));
  })(document.querySelector(${JSON.stringify(selector)}))`);
const textOf = (tab: Tab, selector: string) =>
  tab.evaluate<string>(`document.querySelector(${JSON.stringify(selector)})?.textContent ?? ''`);
const heading = (text: string) => `document.querySelector('h1')?.textContent === ${JSON.stringify(text)}`;

test('a person signs in on the page that he came for, and out again', { skip }, async () => {
  const { id } = await api.makeUser('person');
  const tab = await browser.open();
  await tab.goto(`${api.url}/v3/users/${id}`);
  await fill(tab, '#username', 'person');
  await fill(tab, '#password', 'not the password');
  await click(tab, '#sign-in [type=submit]');
  await tab.sees(`document.querySelector('[data-part=error]').hidden === false`);
  await fill(tab, '#password', 'a password long enough');
  await click(tab, '#sign-in [type=submit]');
  await tab.sees(`document.querySelector('.user')?.textContent === 'person'`);
  assert.equal(await tab.evaluate('location.pathname'), `/v3/users/${id}`);
  await click(tab, '#sign-out');
  await tab.sees(`document.querySelector('#sign-in')`);
  assert.deepEqual(tab.faults, []);
});

test('a cluster is created, changed, acted on and deleted by its forms', { skip }, async () => {
  const tab = await signedIn();
  await tab.goto(`${api.url}/v3/clusters`);
  await click(tab, '[data-dialog=create-cluster]');
  await fill(tab, '#create-cluster [name=name]', 'from a form');
  await click(tab, '#create-cluster [type=submit]');
  await tab.sees(`document.querySelector('#create-cluster [data-part=error]').textContent.includes('name')`);
  await fill(tab, '#create-cluster [name=name]', 'by-form');
  await fill(tab, '#create-cluster [name=labels]', 'team=red\nempty=');
  assert.match(
    await textOf(tab, '#create-cluster [data-part=request]'),
    /-d '\{"name":"by-form","labels":\{"team":"red"/,
  );
  await click(tab, '#create-cluster [type=submit]');
  await tab.sees(heading('by-form'));
  const path = await tab.evaluate<string>('location.pathname');
  const made = await api.want(200, 'GET', path);
  assert.deepEqual([made.name, made.labels.team, made.labels.empty], ['by-form', 'red', '']);

  await click(tab, '[data-dialog=edit]');
  await fill(tab, '#edit [name=description]', 'of a form');
  assert.match(
    await textOf(tab, '#edit [data-part=request]'),
    /-d '\{"description":"of a form"\}'/,
    'only what was changed',
  );
  await click(tab, '#edit [type=submit]');
  await tab.sees(`[...document.querySelectorAll('dd')].some(one => one.textContent === 'of a form')`);

  await click(tab, '[data-dialog=edit]');
  await click(tab, '#edit [data-mode=json]');
  const json = JSON.parse(await tab.evaluate(`document.querySelector('#edit textarea[data-part=json]').value`));
  assert.deepEqual([json.name, json.description, json.id], ['by-form', 'of a form', undefined]);
  await fill(tab, '#edit textarea[data-part=json]', '{ "description": ');
  await click(tab, '#edit [type=submit]');
  assert.equal(await tab.evaluate(`document.querySelector('#edit form').checkValidity()`), false);
  await fill(tab, '#edit textarea[data-part=json]', '{ "description": "of JSON" }');
  await click(tab, '#edit [type=submit]');
  await tab.sees(`[...document.querySelectorAll('dd')].some(one => one.textContent === 'of JSON')`);

  await click(tab, '[data-dialog=action-generateKubeconfig]');
  await click(tab, '#action-generateKubeconfig [type=submit]');
  await tab.sees(
    `document.querySelector('#action-generateKubeconfig [data-part=answer] pre')?.textContent.includes('apiVersion: v1')`,
  );

  await tab.goto(api.url + path);
  await click(tab, '[data-dialog=delete]');
  await click(tab, '#delete [type=submit]');
  await tab.sees(heading('clusters'));
  assert.equal((await api.ask('GET', path)).status, 404);
  assert.deepEqual(tab.faults, []);
});

test('a long form folds what is seldom needed, and opens it for what is wrong there', { skip }, async () => {
  const tab = await signedIn();
  await tab.goto(`${api.url}/v3/roletemplates`);
  await click(tab, '[data-dialog=create-roleTemplate]');
  const folded = `document.querySelector('#create-roleTemplate details.folded')`;
  assert.equal(await tab.evaluate(`${folded}.open`), false);
  await fill(tab, '#create-roleTemplate [name=name]', 'folded');
  await fill(tab, '#create-roleTemplate [name=rules]', '[{');
  await click(tab, '#create-roleTemplate [type=submit]');
  assert.equal(await tab.evaluate(`${folded}.open`), true);
  await fill(tab, '#create-roleTemplate [name=rules]', '[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]');
  await fill(tab, '#create-roleTemplate [name=context]', 'cluster');
  for (const name of ['clusterCreatorDefault', 'projectCreatorDefault'])
    await fill(tab, `#create-roleTemplate [name=${name}]`, 'false');
  await click(tab, '#create-roleTemplate [type=submit]');
  await tab.sees(heading('folded'));
  assert.deepEqual(tab.faults, []);
});

test('a token is shown once, where it was made', { skip }, async () => {
  const tab = await signedIn();
  await tab.goto(`${api.url}/v3/tokens`);
  await click(tab, '[data-dialog=create-token]');
  await fill(tab, '#create-token [name=description]', 'of a page');
  await click(tab, '#create-token [type=submit]');
  await tab.sees(`document.querySelector('#create-token [data-part=answer] pre')`);
  const { token, description } = JSON.parse(await textOf(tab, '#create-token [data-part=answer] pre'));
  assert.equal(description, 'of a page');
  assert.equal((await api.ask('GET', '/v3/users?me=true', { as: token })).status, 200);
  assert.deepEqual(tab.faults, []);
});

test('a list is filtered, and a filter taken out again', { skip }, async () => {
  for (const name of ['filter-a', 'filter-b']) await api.want(201, 'POST', '/v3/clusters', { body: { name } });
  const tab = await signedIn({ language: 'zh-CN', dark: true });
  await tab.goto(`${api.url}/v3/clusters?sort=name`);
  await fill(tab, '#filter [name=value]', 'filter-a');
  await click(tab, '#filter [type=submit]');
  await tab.sees(`document.querySelectorAll('tbody tr').length === 1`);
  assert.equal(await tab.evaluate('location.search'), '?sort=name&name=filter-a');
  await click(tab, '.chips a');
  await tab.sees(`document.querySelectorAll('tbody tr').length >= 2`);
  await tab.goto(`${api.url}/v3`);
  await fill(tab, '[data-find]', 'CLUSTERS');
  const left = `[...document.querySelectorAll('#types li')].filter(item => !item.hidden).map(item => item.textContent)`;
  assert.deepEqual(await tab.evaluate(left), ['clusters']);
  assert.equal(await tab.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(20, 23, 26)');
  assert.deepEqual(tab.faults, []);
});

const hostile = [
  '<script>window.ran = 1</script>',
  '"><img src=x onerror="window.ran = 1">',
  "' autofocus onfocus='window.ran = 1",
  '</textarea></pre></title><svg onload="window.ran = 1">',
  'javascript:window.ran=1',
  '&lt;img src=x onerror=window.ran=1&gt;',
];

test('what was written to run does not run, wherever it stands', { skip }, async () => {
  const all = hostile.join('\n');
  const annotations = Object.fromEntries(hostile.map((text, i) => [`x.test/${i}`, text]));
  const cluster = { name: 'hostile', description: all, agentImageOverride: hostile[1], annotations };
  const paths = [
    `/v3/clusters/${(await api.want(201, 'POST', '/v3/clusters', { body: cluster })).id}`,
    `/v3/users/${(await api.want(201, 'POST', '/v3/users', { body: { username: 'hostile', name: all, description: all, password: 'a password long enough' } })).id}`,
    `/v3/roletemplates/${(await api.want(201, 'POST', '/v3/roletemplates', { body: { name: hostile[0], description: all, context: 'cluster', rules: [{ apiGroups: hostile, resources: hostile, verbs: hostile }] } })).id}`,
  ];
  await api.want(200, 'PUT', '/v3/settings/ui-banners', { body: { value: all } });
  const reflected = hostile.flatMap(text => {
    const word = encodeURIComponent(text);
    return [
      `/v3/clusters?name=${word}`,
      `/v3/${word}`,
      `/v3/clusters/${word}`,
      `/v3/clusters?sort=${word}&marker=${word}`,
    ];
  });
  const tab = await signedIn();
  const lists = ['/v3/clusters', '/v3/users', '/v3/roletemplates', '/v3/settings', '/v3/settings/ui-banners'];
  for (const path of [...paths, ...lists, ...reflected]) {
    await tab.goto(api.url + path);
    // Opened dialogs, so that whatever waits for focus or for being shown has its chance.
    await tab.evaluate(
      `document.querySelectorAll('[data-dialog]').forEach(button => { button.click(); document.querySelector('dialog[open]')?.close(); })`,
    );
    assert.equal(await tab.evaluate('window.ran'), undefined, path);
    const odd = `[...document.querySelectorAll('*')].flatMap(one => [...one.attributes]).filter(({ name, value }) => /^on|^style$/.test(name) || /^javascript:/i.test(value) && /^(href|src|action)$/.test(name)).length`;
    assert.equal(await tab.evaluate(odd), 0, path);
    assert.equal(await tab.evaluate(`document.querySelectorAll('img, svg, iframe, object').length`), 0, path);
  }
  await tab.goto(api.url + paths[0]);
  const shown = await tab.evaluate<string>(
    `[...document.querySelectorAll('dd pre')].map(one => one.textContent).join()`,
  );
  assert.ok(shown.includes(all), 'it is shown as it was written');
  assert.deepEqual(tab.faults, []);
});

test('should markup ever get in, the page’s policy does not let it run', { skip }, async () => {
  const tab = await signedIn();
  await tab.goto(`${api.url}/v3`);
  const inject = (text: string) =>
    `(() => { const made = document.createElement('script'); made.append(${JSON.stringify(text)}); document.body.append(made); })()`;
  await assert.rejects(tab.evaluate(`document.body.innerHTML = '<img src=x onerror="window.ran = 1">'`), /TrustedHTML/);
  await tab.evaluate(inject('window.ran = 1')).catch(() => undefined);
  await tab
    .evaluate(
      `(() => { const made = document.createElement('img'); made.setAttribute('onerror', 'window.ran = 1'); made.src = '/x'; document.body.append(made); })()`,
    )
    .catch(() => undefined);
  await until('the browser to say that it ran none of it', () => tab.faults.length > 0, { timeoutMs: 30_000 });
  assert.equal(await tab.evaluate('window.ran'), undefined);
});
