/**
 * Who may not list a cluster's namespaces sees his own through the proxy, with whatever client: real kubectl, and lists and watches in every
 * form that a kube-apiserver knows, held against what the cluster itself answers to who may see all.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, before, beforeEach, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Resource, type Secret, until } from '@drover/base';
import { clusterRoleBindings, clusterRoles, namespaces, roleBindings } from '@drover/kube';
import { formOf } from '@drover/server';
import { Agent, request } from 'undici';
import { parse as parseYaml } from 'yaml';
import { type Hub, startHub } from './hub.ts';
import { type ImportedCluster, importCluster, missingImportable, namespace } from './imported-cluster.ts';

const skip = missingImportable() ?? false;
type Person = { readonly id: string; readonly bearer: Secret };
let hub: Hub;
let cluster: ImportedCluster;
let dispatcher: Agent;
let mia: Person;
let all: Person;
let root: Person;
const project = (name: string) => `${cluster.id}:${name}`;
const json = 'application/json';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const metadataOnly = (kind: string, base = json) => `${base};as=${kind};v=v1;g=meta.k8s.io`;
const protobuf = 'application/vnd.kubernetes.protobuf';

before(async () => {
  if (skip) return;
  hub = await startHub({ builtinRoles: true });
  dispatcher = new Agent({ connect: { ca: hub.ca.cert } });
  [mia, all, root] = [await hub.makeUser('mia'), await hub.makeUser('all'), await hub.makeUser('root', 'admin')];
  cluster = await importCluster(hub, 'demo');
  for (const name of ['p-one', 'p-two'])
    await hub.resources.create('project', {
      metadata: { name, namespace: cluster.id },
      spec: { displayName: name, clusterName: cluster.id },
    });
  for (const [name, of] of [
    ['shop', 'p-one'],
    ['web', 'p-one'],
    ['other', 'p-two'],
    ['loose', undefined],
  ] as const)
    await cluster.kube.create(namespaces, namespace(name, of && project(of)));
  await give(mia, 'p-one');
  // A rule that names what is there: he sees all, and yet may not list.
  const rules = [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get'] }];
  await hub.resources.create('roleTemplate', {
    metadata: { name: 'get-all' },
    displayName: 'x',
    context: 'cluster',
    rules,
  });
  await hub.grant(cluster.id, all.id, 'get-all');
});
after(async () => {
  await dispatcher?.close();
  await cluster?.[Symbol.asyncDispose]();
  await hub?.[Symbol.asyncDispose]();
});

/** What was taken away before keeps nobody out any more. */
beforeEach(async () => {
  if (skip) return;
  await until(
    'what was taken away to be gone',
    async () => (await hub.store.list('/rights/removals/')).entries.length === 0,
    {
      timeoutMs: 60_000,
    },
  );
});

async function give(who: Person, name: string): Promise<() => Promise<unknown>> {
  const metadata = { name: `prtb-${who.id}-${name}`, namespace: `${cluster.id}-${name}` };
  await hub.resources.create('projectRoleTemplateBinding', {
    metadata,
    projectName: project(name),
    roleTemplateName: 'read-only',
    userName: who.id,
  });
  return () => hub.resources.delete('projectRoleTemplateBinding', metadata);
}

const move = (name: string, to: string | null) =>
  cluster.kube.patch(
    namespaces,
    name,
    { metadata: { annotations: { 'field.cattle.io/projectId': to } } },
    { type: 'merge' },
  );

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly encoding: string | undefined;
  readonly body: Buffer;
}

async function get(who: Person, query: string, accept: string, headers: Record<string, string> = {}): Promise<Answer> {
  const url = `${hub.url}/k8s/clusters/${cluster.id}/api/v1/namespaces${query}`;
  const answer = await request(url, {
    dispatcher,
    headers: { authorization: `Bearer ${who.bearer.reveal()}`, accept, ...headers },
  });
  return {
    status: answer.statusCode,
    type: String(answer.headers['content-type']),
    encoding: answer.headers['content-encoding'] as string | undefined,
    body: Buffer.from(await answer.body.arrayBuffer()),
  };
}

/** The same asked of the cluster itself, by who may see all. */
async function direct(query: string, accept: string): Promise<Buffer> {
  const { body } = await cluster.kube.stream('GET', `/api/v1/namespaces${query}`, { headers: { accept } });
  const chunks: Buffer[] = [];
  for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const namesOf = (body: Buffer): string[] =>
  (JSON.parse(body.toString()) as { items: Resource[] }).items.map(one => one.metadata.name);

function kubectl(who: Person, ...args: string[]): Promise<string> {
  return runKubectl(who, args).then(
    ({ child, output }) => new Promise(resolve => child.once('close', () => resolve(output()))),
  );
}

async function runKubectl(
  who: Person,
  args: readonly string[],
): Promise<{ child: ChildProcess; output: () => string }> {
  const kubeconfig = await hub.kubeconfig(cluster.id, who.bearer);
  const child = spawn(cluster.api.kubectl, ['--kubeconfig', kubeconfig, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', chunk => (text += String(chunk)));
  child.stderr.on('data', chunk => (text += String(chunk)));
  return { child, output: () => text };
}

test('kubectl lists his namespaces, as a table, as JSON and YAML, by labels and piece by piece, and no others', {
  skip,
}, async () => {
  const listed = await kubectl(mia, 'get', 'ns');
  assert.match(listed, /^NAME +STATUS +AGE\nshop +Active .*\nweb +Active .*\n$/);
  assert.deepEqual(namesOf(Buffer.from(await kubectl(mia, 'get', 'ns', '-o', 'json'))), ['shop', 'web']);
  assert.match(await kubectl(mia, 'get', 'ns', '-o', 'yaml'), /name: shop[\s\S]*name: web/);
  assert.equal(await kubectl(mia, 'get', 'ns', '--chunk-size=1', '-o', 'name'), 'namespace/shop\nnamespace/web\n');
  assert.equal(
    await kubectl(mia, 'get', 'ns', '-l', 'kubernetes.io/metadata.name=web', '-o', 'name'),
    'namespace/web\n',
  );
  assert.match(await kubectl(mia, 'get', 'ns', '-l', 'kubernetes.io/metadata.name=other'), /No resources found/);
  assert.equal(
    await kubectl(mia, 'get', 'ns', '--field-selector', 'metadata.name=shop', '-o', 'name'),
    'namespace/shop\n',
  );
  assert.match(await kubectl(root, 'get', 'ns', '-o', 'name'), /namespace\/kube-system\n/);
});

test('who acts as somebody sees what that one sees', { skip }, async () => {
  assert.equal(await kubectl(root, 'get', 'ns', '--as', mia.id, '-o', 'name'), 'namespace/shop\nnamespace/web\n');
  assert.match(await kubectl(root, 'get', 'ns', '--as', 'u-nobody'), /[Ff]orbidden/);
  assert.match(await kubectl(mia, 'get', 'ns', '--as', all.id), /may not impersonate/);
});

test('a list that leaves nothing out is the cluster’s own, byte for byte', { skip }, async () => {
  await until('all to see all', async () => (await get(all, '', json)).status === 200);
  const at = await revision();
  const forms = [
    json,
    'application/yaml',
    protobuf,
    metadataOnly('PartialObjectMetadataList'),
    metadataOnly('PartialObjectMetadataList', protobuf),
  ];
  for (const accept of [...forms, `${metadataOnly('Table', protobuf)},${table}`]) {
    for (const more of [
      '',
      '&includeObject=Object',
      '&labelSelector=kubernetes.io/metadata.name%20in%20(shop,web,kube-system)',
    ]) {
      const query = `?resourceVersion=${at}&resourceVersionMatch=Exact${more}`;
      const [own, theirs] = [await get(all, query, accept), await direct(query, accept)];
      assert.equal(own.status, 200, own.body.toString());
      if (accept === 'application/yaml') assert.deepEqual(parseYaml(own.body.toString()), parseYaml(theirs.toString()));
      else if (/json/.test(own.type)) assert.deepEqual(JSON.parse(own.body.toString()), JSON.parse(theirs.toString()));
      else assert.ok(own.body.equals(theirs), `${accept} ${query}`);
    }
  }
});

test('what is left out is in no form of the answer', { skip }, async () => {
  for (const accept of [
    json,
    'application/yaml',
    protobuf,
    table,
    metadataOnly('PartialObjectMetadataList', protobuf),
  ]) {
    const { status, body } = await get(mia, '', accept);
    assert.equal(status, 200);
    const text = body.toString('latin1');
    for (const name of ['shop', 'web']) assert.ok(text.includes(name), `${accept}: ${name}`);
    for (const name of ['other', 'loose', 'kube-system', 'p-two'])
      assert.ok(!text.includes(name), `${accept}: ${name}`);
  }
  const bare = JSON.parse((await get(mia, '?includeObject=None', table)).body.toString()) as {
    rows: { object?: unknown; cells: unknown[] }[];
  };
  assert.deepEqual(
    bare.rows.map(({ object, cells }) => [object, cells[0]]),
    [
      [undefined, 'shop'],
      [undefined, 'web'],
    ],
  );
  assert.equal((await get(mia, '', 'text/html')).status, 403, 'what can not be cut down is the cluster’s to answer');
});

test('pages hold as many as were asked for, of one state of the cluster', { skip }, async () => {
  const found: string[] = [];
  let next = '';
  for (let page = 0; page < 5; page++) {
    const { status, body } = await get(mia, `?limit=1${next && `&continue=${next}`}`, json);
    assert.equal(status, 200, body.toString());
    const list = JSON.parse(body.toString()) as {
      items: Resource[];
      metadata: { continue?: string; remainingItemCount?: number };
    };
    assert.ok(list.items.length <= 1);
    assert.equal(list.metadata.remainingItemCount, undefined, 'it would count those of others');
    found.push(...list.items.map(one => one.metadata.name));
    if (page === 0) await cluster.kube.create(namespaces, namespace('shoq', project('p-one')));
    next = list.metadata.continue ?? '';
    if (!next) break;
  }
  assert.deepEqual(found, ['shop', 'web'], 'what came later is not in it');
  await cluster.kube.delete(namespaces, 'shoq');
  await cluster.kube
    .request('PUT', '/api/v1/namespaces/shoq/finalize', { body: { ...namespace('shoq'), spec: { finalizers: [] } } })
    .catch(() => undefined);
  for (const wrong of ['?continue=nonsense', '?limit=many', '?resourceVersion=1&resourceVersionMatch=Never'])
    assert.ok([400, 422].includes((await get(mia, wrong, json)).status), wrong);
});

test('a long answer is packed for who takes it so', { skip }, async () => {
  const note = 'n'.repeat(2000);
  for (let i = 0; i < 80; i++) {
    const one = namespace(`many-${i}`, project('p-two'));
    await cluster.kube.create(namespaces, {
      ...one,
      metadata: { ...one.metadata, annotations: { ...one.metadata.annotations, note } },
    });
  }
  const take = await give(mia, 'p-two');
  const { encoding, body } = await get(mia, '', json, { 'accept-encoding': 'gzip' });
  assert.equal(encoding, 'gzip');
  assert.equal(namesOf(gunzipSync(body)).length, 83);
  assert.equal((await get(mia, '', json)).encoding, undefined);
  await take();
  for (let i = 0; i < 80; i++) await move(`many-${i}`, null);
});

interface Watching extends AsyncDisposable {
  readonly events: string[];
  readonly ended: () => boolean;
}

/** A watch, with its events as `TYPE name`. */
async function watch(who: Person, query: string, accept: string): Promise<Watching> {
  const url = `${hub.url}/k8s/clusters/${cluster.id}/api/v1/namespaces?watch=true${query}`;
  const stop = new AbortController();
  const answer = await request(url, {
    dispatcher,
    signal: stop.signal,
    headers: { authorization: `Bearer ${who.bearer.reveal()}`, accept },
  });
  assert.equal(answer.statusCode, 200, answer.statusCode === 200 ? '' : await answer.body.text());
  const form = formOf(String(answer.headers['content-type']), false);
  const events: string[] = [];
  let ended = false;
  const reading = (async () => {
    let rest: Buffer = Buffer.alloc(0);
    try {
      for await (const chunk of answer.body) {
        rest = Buffer.concat([rest, chunk as Buffer]);
        const { events: read, used } = form.readEvents(rest);
        rest = rest.subarray(used);
        for (const { type, item } of read) events.push(item ? `${type} ${item.name}` : type);
      }
    } catch {
      // Cut, by either side.
    }
    ended = true;
  })();
  return {
    events,
    ended: () => ended,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await reading;
    },
  };
}

const revision = async (): Promise<string> => (await cluster.kube.list(namespaces)).resourceVersion;

for (const accept of [json, table, `${protobuf};stream=watch`, metadataOnly('PartialObjectMetadata', protobuf)])
  test(`a watch tells what comes and goes in his sight: ${accept}`, { skip }, async () => {
    await using seen = await watch(mia, `&resourceVersion=${await revision()}`, accept);
    const becomes = (...wanted: string[]) =>
      until(`${wanted} after ${seen.events}`, () => wanted.every(one => seen.events.includes(one)), {
        timeoutMs: 90_000,
      });
    await move('loose', project('p-one'));
    await becomes('ADDED loose');
    await cluster.kube.patch(namespaces, 'loose', { metadata: { labels: { a: `${Date.now()}` } } }, { type: 'merge' });
    await becomes('MODIFIED loose');
    await move('loose', null);
    await becomes('DELETED loose');
    await move('other', null);
    await move('other', project('p-two'));
    const take = await give(mia, 'p-two');
    await becomes('ADDED other');
    await take();
    await becomes('DELETED other');
    assert.equal(seen.ended(), false, 'who loses some of it is not cut off');
    assert.deepEqual(seen.events, ['ADDED loose', 'MODIFIED loose', 'DELETED loose', 'ADDED other', 'DELETED other']);
  });

test('a watch from the beginning, and a WatchList with its bookmarks, begin with what is his', { skip }, async () => {
  for (const query of [
    '',
    '&resourceVersion=0',
    '&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
  ]) {
    for (const accept of [json, `${protobuf};stream=watch`]) {
      await using seen = await watch(mia, query, accept);
      const bookmark = query.includes('Bookmarks') ? 1 : 0;
      await until('what is there', () => seen.events.length === 2 + bookmark, { timeoutMs: 90_000 });
      assert.deepEqual(seen.events.slice(0, 2).sort(), ['ADDED shop', 'ADDED web'], query);
      if (bookmark) assert.equal(seen.events[2], 'BOOKMARK');
    }
  }
});

test('kubectl watches: what is there, what comes by a grant, and what goes with it', { skip }, async t => {
  const { child, output } = await runKubectl(mia, ['get', 'ns', '-w', '--output-watch-events']);
  t.after(() => child.kill());
  const becomes = (wanted: RegExp) =>
    until(`${wanted} in ${output()}`, () => wanted.test(output()), { timeoutMs: 90_000 });
  await becomes(/EVENT +NAME +STATUS +AGE\nADDED +shop +Active[^\n]*\nADDED +web/);
  const take = await give(mia, 'p-two');
  await becomes(/ADDED +other +Active/);
  await take();
  await becomes(/DELETED +other +Active/);
  assert.doesNotMatch(output(), /loose|kube-system|rror/);
});

test('nobody holds more watches than he may, and one that is taken out has none', { skip }, async () => {
  const open = await Promise.all(Array.from({ length: 50 }, () => watch(mia, '', json)));
  assert.equal((await get(mia, '?watch=true&timeoutSeconds=1', json)).status, 429);
  await hub.resources.delete('projectRoleTemplateBinding', {
    name: `prtb-${mia.id}-p-one`,
    namespace: `${cluster.id}-p-one`,
  });
  await until('all of them to end', () => open.every(one => one.ended()), { timeoutMs: 90_000 });
  assert.deepEqual(open[0]!.events.slice(-2).sort(), ['DELETED shop', 'DELETED web']);
  assert.equal((await get(mia, '', json)).status, 403);
});

test('a cluster that is deleted while members are given much keeps nothing that its collector does not take', {
  skip,
}, async () => {
  const crowd = Array.from({ length: 6 }, (_, n) => `crowd-${n}`);
  await give(all, 'p-one');
  for (const name of crowd) await cluster.kube.create(namespaces, namespace(name, project('p-one')));
  const resourceAttributes = { verb: 'get', resource: 'namespaces', name: crowd.at(-1) };
  await until('the last of them', () => cluster.allows({ user: all.id }, { resourceAttributes }), {
    timeoutMs: 60_000,
  });
  // Each leaves its project now, which changes what members are given, while that is taken away.
  await hub.resources.delete('cluster', { name: cluster.id });
  await until('it to be forgotten', async () => !(await hub.resources.find('cluster', cluster.id)), {
    timeoutMs: 60_000,
  });
  const agent = await cluster.kube.get(namespaces, 'cattle-system');
  for (const ref of [roleBindings, clusterRoleBindings, clusterRoles]) {
    const { items } = await cluster.kube.list<Resource>(ref, { labelSelector: 'app.kubernetes.io/managed-by=drover' });
    const left = items.filter(
      ({ metadata }) => !metadata.ownerReferences?.some(({ uid }) => uid === agent.metadata.uid),
    );
    assert.deepEqual(
      left.map(({ metadata }) => metadata.name),
      [],
      `${ref.resource} stay for ever`,
    );
  }
});
