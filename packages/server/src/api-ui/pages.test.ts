/** Pages for people: who gets one, what stands on it, and the headers that keep it to itself. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Script } from 'node:vm';
import { type Answer, openTestApi, type TestApi } from '../api/fixture.ts';
import { assets } from './assets.ts';
import { pageScript } from './client.ts';

const mozilla = 'Mozilla/5.0 (X11; Linux x86_64)';
const navigating = { 'user-agent': mozilla, accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

let api: TestApi;
let clusterId: string;
before(async () => {
  api = await openTestApi();
  clusterId = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'one', labels: { team: 'a' } } })).id;
});
after(() => api[Symbol.asyncDispose]());

const page = async (path: string, headers: Record<string, string> = {}, as?: string): Promise<Answer> =>
  api.ask('GET', path, { headers: { ...navigating, ...headers }, ...(as === undefined ? {} : { as }) });

const forms: [headers: Record<string, string>, query: string, type: RegExp][] = [
  [{}, '', /json/],
  [{ accept: '*/*' }, '', /json/],
  [{ 'user-agent': mozilla }, '', /html/],
  [{ 'user-agent': mozilla, accept: '*/*' }, '', /html/],
  [navigating, '', /html/],
  [{ 'user-agent': mozilla, accept: 'application/json' }, '', /json/],
  [{ 'user-agent': mozilla, accept: 'application/json, text/plain, */*' }, '', /json/],
  [{ accept: 'text/html' }, '', /html/],
  [{ accept: 'application/yaml' }, '', /yaml/],
  [navigating, '?_format=json', /json/],
  [navigating, '?_format=yaml', /yaml/],
  [{}, '?_format=html', /html/],
  [{}, '?_format=htmlx', /json/],
];
for (const [headers, query, type] of forms) {
  test(`${JSON.stringify(headers)} ${query} gets ${type.source}`, async () => {
    const answer = await api.ask('GET', `/v3/clusters${query}`, { headers });
    assert.equal(answer.status, 200);
    assert.match(String(answer.headers['content-type']), type);
  });
}

test('a page runs and loads nothing but what carries its own nonce, and no two have the same', async () => {
  const nonces = new Set<string>();
  for (const path of ['/v3', '/v3/clusters', '/v3/nothing']) {
    const { headers, body } = await page(path);
    const policy = String(headers['content-security-policy']);
    const nonce = /script-src 'nonce-([A-Za-z0-9+/=]{24})'(?:;|$)/.exec(policy)?.[1];
    assert.ok(nonce, policy);
    nonces.add(nonce);
    for (const part of [
      "default-src 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
    ])
      assert.ok(policy.includes(part), part);
    assert.doesNotMatch(policy, /unsafe|\*/);
    const scripts = [...String(body).matchAll(/<script\b[^>]*>([^<]*)/g)];
    assert.deepEqual(
      scripts.map(([tag, text]) => [tag.includes(`nonce="${nonce}"`), text]),
      [[true, '']],
    );
    assert.equal(headers['x-frame-options'], 'SAMEORIGIN');
    assert.match(String(headers['vary']), /accept-language/);
  }
  assert.equal(nonces.size, 3);
});

test('the script and the style are there under the names that pages use, for good, and nothing else is', async () => {
  new Script(pageScript);
  for (const { path, type, text } of Object.values(assets)) {
    const answer = await api.ask('GET', path, { as: '' });
    assert.deepEqual([answer.status, answer.body, answer.headers['content-type']], [200, text, type]);
    assert.match(String(answer.headers['cache-control']), /immutable/);
    assert.ok(String((await page('/v3')).body).includes(`"${path}"`));
  }
  for (const path of ['/api-ui', '/api-ui/ui.js', '/api-ui/000000000000/ui.js', `${assets.js.path}/x`])
    assert.equal((await api.ask('GET', path)).status, 404, path);
  assert.equal((await api.ask('POST', assets.js.path)).status, 405);
});

test('the root names every collection; each leads to a page of its own', async () => {
  const { body } = await page('/v3');
  const schemas: { id: string; pluralName: string; collectionMethods: string[]; links: Record<string, string> }[] = (
    await api.want(200, 'GET', '/v3/schemas')
  ).data;
  const collections = schemas.filter(
    ({ id, collectionMethods }) => collectionMethods.includes('GET') && id !== 'subscribe',
  );
  assert.ok(collections.length >= 13);
  for (const { pluralName, links } of collections) {
    const address = links['collection']!;
    assert.ok(String(body).includes(`<a href="${address}">${pluralName}</a>`), pluralName);
    const shown = await page(address.slice(api.url.length));
    assert.equal(shown.status, 200, pluralName);
    assert.match(String(shown.body), new RegExp(`<h1>${pluralName}</h1>`));
  }
  for (const { id } of schemas) assert.equal((await page(`/v3/schemas/${id}`)).status, 200, id);
});

test('a resource has its fields, links, actions, forms, JSON and a curl line on its page', async () => {
  const text = String((await page(`/v3/clusters/${clusterId}`)).body);
  const wire = await api.want(200, 'GET', `/v3/clusters/${clusterId}`);
  for (const [name, url] of Object.entries(wire.links as Record<string, string>))
    if (url !== wire.links.self && !url.startsWith('wss:'))
      assert.ok(text.includes(`<a href="${url}">${name}</a>`), name);
  for (const name of Object.keys(wire.actions)) assert.ok(text.includes(`data-dialog="action-${name}"`), name);
  assert.match(text, /<dt>team<\/dt><dd>a<\/dd>/);
  assert.match(text, new RegExp(`<dt>creatorId</dt><dd><a href="${api.url}/v3/users/${api.adminId}">`));
  assert.match(text, /data-method="PUT"[\s\S]*name="description"/);
  assert.match(text, /data-method="DELETE"[^>]*data-after="\/v3\/clusters"/);
  assert.match(text, /curl -s -H &quot;Authorization: Bearer \$DROVER_TOKEN&quot;/);
  assert.match(text, new RegExp(`&quot;id&quot;: &quot;${clusterId}&quot;`));
});

test('a form has what may be set, and no more', async () => {
  const text = String((await page('/v3/clusterroletemplatebindings')).body);
  const create = /<dialog id="create-clusterRoleTemplateBinding"[\s\S]*?<\/dialog>/.exec(text)![0];
  const controls = [...create.matchAll(/ name="([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(controls.slice(0, 2).sort(), ['clusterId', 'roleTemplateId'], 'required ones first');
  assert.ok(controls.includes('userId') && !controls.includes('created') && !controls.includes('creatorId'));
  const schema = await api.want(200, 'GET', '/v3/schemas/clusterRoleTemplateBinding');
  const fields = Object.entries(schema.resourceFields as Record<string, { create: boolean }>);
  assert.deepEqual(controls.toSorted(), fields.flatMap(([name, { create: may }]) => (may ? [name] : [])).sort());
});

test('filters that hold are named and can be taken out; columns sort', async () => {
  const text = String((await page('/v3/clusters?name_ne=x&sort=name')).body);
  assert.match(text, /name is not <b>x<\/b> <a href="\/v3\/clusters\?sort=name"/);
  assert.match(text, /<th scope="col" aria-sort="ascending"><a class="sort" href="[^"]*order=desc[^"]*">name</);
});

test('a page shows a hundred, its JSON a thousand, and what the address says both', async () => {
  const made = Array.from({ length: 101 }, (_, i) =>
    api.want(201, 'POST', '/v3/clusters', { body: { name: `many-${i}` } }),
  );
  await Promise.all(made);
  const rows = async (path: string) => [...String((await page(path)).body).matchAll(/<tr><td><a href/g)].length;
  assert.equal(await rows('/v3/clusters?name_ne=one'), 100);
  assert.equal(await rows('/v3/clusters?name_ne=one&limit=7'), 7);
  assert.match(String((await page('/v3/clusters?name_ne=one')).body), /100 of 101[\s\S]*rel="next"/);
  assert.equal((await api.want(200, 'GET', '/v3/clusters?name_ne=one')).data.length, 101);
});

test('who is not signed in is asked to; what went wrong is told on a page', async () => {
  const unknown = await page('/v3/clusters', {}, '');
  assert.equal(unknown.status, 401);
  assert.match(String(unknown.body), /<form id="sign-in"/);
  const setting = await page('/v3/settings/install-uuid', {}, '');
  assert.deepEqual([setting.status, /id="sign-in"/.test(String(setting.body))], [401, true]);
  const missing = await page('/v3/clusters/c-zzzzz');
  assert.equal(missing.status, 404);
  assert.match(String(missing.headers['content-type']), /^text\/html/);
  assert.match(String(missing.body), /404 NotFound/);
  const program = await api.ask('GET', '/v3/clusters/c-zzzzz');
  assert.equal(program.body.code, 'NotFound');
});

test('a user sees on pages what he sees as JSON: nothing of others, and no form for what is not offered', async () => {
  const { token } = await api.makeUser('somebody');
  const text = String((await page('/v3/clusters', {}, token)).body);
  assert.doesNotMatch(text, new RegExp(clusterId));
  assert.equal((await page(`/v3/clusters/${clusterId}`, {}, token)).status, 404);
  assert.match(String((await page('/v3/settings', {}, token)).body), /somebody/);
});

test('pages speak Chinese to who reads Chinese', async () => {
  const text = String((await page('/v3/users', { 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' })).body);
  assert.match(text, /lang="zh-CN"[\s\S]*新建 user/);
});

test('the OpenAPI document stays data, for browsers too', async () => {
  assert.match(String((await page('/v3/openapi.json')).headers['content-type']), /json/);
});
