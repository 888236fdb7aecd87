/**
 * The management types as plain Kubernetes API, by the real kubectl against a server without any cluster: discovery, tables,
 * watches, every kind of write, server-side apply, and who may what.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { Agent, request } from 'undici';
import { type ServerProcess, startServer } from '../server-process.ts';
import { findKubeBinaries, missingKubeBinaries } from './kube-binaries.ts';

const skip = missingKubeBinaries('kubectl') ?? false;
const group = '/k8s/clusters/local/apis/management.cattle.io/v3';
const apiVersion = 'management.cattle.io/v3';

let dir: string;
let binary: string;
let server: ServerProcess;
let admin: string;
let adminId: string;
let member: { readonly id: string; readonly token: string };
let mine: string;
let others: string;

before(async () => {
  if (skip) return;
  binary = join(findKubeBinaries('kubectl')!, 'kubectl');
  dir = await mkdtemp(join(tmpdir(), 'drover-kubeapi-'));
  server = await startServer();
  admin = await server.login();
  adminId = (await server.ask(admin, 'GET', '/v3/users?me=true')).data[0].id;
  member = await server.makeUser(admin, 'member');
  mine = (await server.ask(admin, 'POST', '/v3/clusters', { name: 'mine' })).id;
  others = (await server.ask(admin, 'POST', '/v3/clusters', { name: 'others' })).id;
  const binding = { clusterId: mine, roleTemplateId: 'cluster-member', userId: member.id };
  await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', binding);
  for (const [name, token] of [
    ['admin', admin],
    ['member', member.token],
  ] as const)
    await writeConfig(name, token);
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  if (dir) await rm(dir, { recursive: true, force: true });
});

async function writeConfig(name: string, token: string): Promise<void> {
  const ca = Buffer.from(server.ca).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'x',
    clusters: [
      { name: 'x', cluster: { server: `${server.url}/k8s/clusters/local`, 'certificate-authority-data': ca } },
    ],
    users: [{ name: 'x', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
  };
  await writeFile(join(dir, name), JSON.stringify(config), { mode: 0o600 });
}

const argsFor = (who: string, args: readonly string[]) => [
  '--kubeconfig',
  join(dir, who),
  '--cache-dir',
  join(dir, 'cache'),
  ...args,
];

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function kubectl(who: string, args: readonly string[], input?: unknown): Promise<Ran> {
  return new Promise(resolve => {
    const child = execFile(binary, argsFor(who, args), { timeout: 60_000 }, (error, out, err) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, out, err }),
    );
    child.stdin!.end(input === undefined ? '' : JSON.stringify(input));
  });
}

async function ok(args: readonly string[], input?: unknown): Promise<string> {
  const { code, out, err } = await kubectl('admin', args, input);
  assert.equal(code, 0, `${args.join(' ')}: ${err}`);
  return out;
}

async function refused(who: string, args: readonly string[], wanted: RegExp, input?: unknown): Promise<void> {
  const { code, out, err } = await kubectl(who, args, input);
  assert.notEqual(code, 0, out);
  assert.match(err, wanted);
}

const template = (name: string, more: object = {}) => ({
  apiVersion,
  kind: 'RoleTemplate',
  metadata: { name, labels: { team: 'a' } },
  displayName: name,
  context: 'cluster',
  rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  ...more,
});

test('kubectl discovers the types, prints them in columns of their own, and explains their fields', {
  skip,
}, async () => {
  assert.match(await ok(['api-resources']), /clusters +management\.cattle\.io\/v3 +false +Cluster/);
  const table = await ok(['get', 'clusters.management.cattle.io']);
  assert.match(table, /^NAME +DISPLAY NAME +READY +PROVIDER +VERSION +NODES +AGE\n/);
  assert.match(table, new RegExp(`${mine} +mine +`));
  assert.match(await ok(['explain', 'cluster.spec.localClusterAuthEndpoint']), /caCerts\t<string>/);
  assert.match(await ok(['version']), /Server Version: v1\.\d+\.\d+\+drover/);
  await refused(
    'admin',
    ['get', 'clusters', 'nope'],
    /\(NotFound\): clusters\.management\.cattle\.io "nope" not found/,
  );
});

test('a list comes in pages, and by labels and fields', { skip }, async () => {
  const whole = (await ok(['get', 'roletemplates', '-o', 'name', '--chunk-size=0'])).trim().split('\n');
  const paged = (await ok(['get', 'roletemplates', '-o', 'name', '--chunk-size=3'])).trim().split('\n');
  assert.ok(whole.length > 10);
  assert.deepEqual(paged, whole);
  const one = await ok(['get', 'clusters', '--field-selector', `metadata.name=${mine}`, '-o', 'name']);
  assert.equal(one.trim(), `cluster.management.cattle.io/${mine}`);
  await refused('admin', ['get', 'clusters', '--field-selector', 'spec.nothing=x'], /field label not supported/);
  const page = await server.fetch('GET', `${group}/roletemplates?limit=2`, { token: admin });
  assert.equal(page.body.items.length, 2);
  assert.ok(page.body.metadata.continue);
});

test('kubectl apply makes, changes and leaves alone; wrong fields are told with their path', { skip }, async () => {
  const run = async (object: object) => (await ok(['apply', '-f', '-'], object)).trim();
  assert.match(await run(template('rt-csa')), /created$/);
  assert.match(await run(template('rt-csa')), /unchanged$/);
  assert.match(await run(template('rt-csa', { description: 'new' })), /configured$/);
  assert.match(await run(template('rt-csa')), /configured$/);
  assert.equal(JSON.parse(await ok(['get', 'roletemplate', 'rt-csa', '-o', 'json'])).description, undefined);
  await refused('admin', ['apply', '-f', '-'], /unknown field "colour"/, template('rt-csa', { colour: 'red' }));
  await refused(
    'admin',
    ['create', '-f', '-'],
    /rt-bad" is invalid: hidden: Invalid value: "string"/,
    template('rt-bad', { hidden: 'yes' }),
  );
  await refused('admin', ['create', '-f', '-'], /AlreadyExists/, template('rt-csa'));
  await refused(
    'admin',
    ['create', '-f', '-'],
    /there is no role "later"/,
    template('rt-x', { roleTemplateNames: ['later'] }),
  );
  await refused('admin', ['create', '-f', '-'], /metadata\.name: .*must be c-/, {
    apiVersion,
    kind: 'Cluster',
    metadata: { name: 'local' },
  });
  assert.match(await ok(['delete', 'roletemplates', '-l', 'team=a']), /"rt-csa" deleted/);
});

test('server-side apply keeps managers apart: a conflict names the field, force takes it', { skip }, async () => {
  const object = (description: string) => ({
    apiVersion,
    kind: 'Cluster',
    metadata: { name: 'c-ssa' },
    spec: { displayName: 'ssa', description },
  });
  const apply = ['apply', '--server-side', '-f', '-'];
  await ok(apply, object('a'));
  await refused(
    'admin',
    [...apply, '--field-manager=other'],
    /conflict with "kubectl".*: \.spec\.description/,
    object('b'),
  );
  await ok([...apply, '--field-manager=other', '--force-conflicts'], object('b'));
  await refused('admin', apply, /conflict with "other"/, object('a'));
  const token = admin;
  const conflict = await server.fetch('PATCH', `${group}/clusters/c-ssa?fieldManager=third`, {
    token,
    body: object('c'),
    headers: { 'content-type': 'application/apply-patch+yaml' },
  });
  assert.deepEqual([conflict.status, conflict.body.reason], [409, 'Conflict']);
  assert.deepEqual(conflict.body.details.causes, [
    {
      reason: 'FieldManagerConflict',
      message: `conflict with "other" using ${apiVersion}`,
      field: '.spec.description',
    },
  ]);
  await ok(['delete', 'cluster', 'c-ssa', '--timeout=60s']);
});

test('patches: JSON and merge are taken, strategic ones are not; a lost race is a conflict', { skip }, async () => {
  await ok(['patch', 'cluster', mine, '--type=json', '-p', '[{"op":"add","path":"/spec/description","value":"one"}]']);
  await ok(['patch', 'cluster', mine, '--type=merge', '-p', '{"spec":{"description":"two"}}']);
  const { spec, metadata } = (await server.fetch('GET', `${group}/clusters/${mine}`, { token: admin })).body;
  assert.equal(spec.description, 'two');
  assert.equal((await server.ask(admin, 'GET', `/v3/clusters/${mine}`)).description, 'two');
  const put = (resourceVersion: string) =>
    server.fetch('PUT', `${group}/clusters/${mine}`, {
      token: admin,
      body: {
        apiVersion,
        kind: 'Cluster',
        metadata: { ...metadata, resourceVersion },
        spec: { displayName: 'mine', description: 'three' },
      },
    });
  const strategic = await server.fetch('PATCH', `${group}/clusters/${mine}`, {
    token: admin,
    body: {},
    headers: { 'content-type': 'application/strategic-merge-patch+json' },
  });
  assert.deepEqual([strategic.status, strategic.body.reason], [415, 'UnsupportedMediaType']);
  const stale = await put('1');
  assert.deepEqual(
    [stale.status, stale.body.reason, stale.body.details],
    [409, 'Conflict', { name: mine, group: 'management.cattle.io', kind: 'clusters' }],
  );
  // Controllers write to it too: whoever lost reads again.
  await until(
    'a PUT of the present revision to be taken',
    async () => {
      const { body } = await server.fetch('GET', `${group}/clusters/${mine}`, { token: admin });
      const { status } = await put(body.metadata.resourceVersion);
      assert.ok(status === 200 || status === 409, String(status));
      return status === 200 || undefined;
    },
    { timeoutMs: 60_000 },
  );
  assert.equal((await server.ask(admin, 'GET', `/v3/clusters/${mine}`)).description, 'three');
  await ok(['wait', '--for=condition=Pending=Unknown', `cluster/${mine}`, '--timeout=30s']);
});

test('a watch goes on from a revision, sends what changes, and says Expired for what is too old', {
  skip,
}, async () => {
  const child = spawn(
    binary,
    argsFor('admin', ['get', 'roletemplates', '-w', '--output-watch-events', '-l', 'watched=yes']),
  );
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text));
  const gone = once(child, 'exit');
  try {
    const labels = { watched: 'yes' };
    const metadata = { name: 'rt-watched', labels };
    // Made anew until the watch stands: kubectl does not say when it does.
    await until(
      'the event of what was made',
      async () => {
        await kubectl('admin', ['apply', '-f', '-'], template('rt-watched', { metadata }));
        if (/ADDED +rt-watched/.test(seen)) return true;
        return undefined;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
    await ok(['label', 'roletemplate', 'rt-watched', 'watched-']);
    await until('the event of what is selected no more', () => /DELETED +rt-watched/.test(seen) || undefined, {
      timeoutMs: 60_000,
    });
  } finally {
    child.kill();
    await gone;
  }
  const old = await server.fetch('GET', `${group}/clusters?watch=true&resourceVersion=1&timeoutSeconds=5`, {
    token: admin,
  });
  const [event] = String(typeof old.body === 'string' ? old.body : JSON.stringify(old.body))
    .trim()
    .split('\n');
  const { type, object } = JSON.parse(event!);
  assert.deepEqual([type, object.code, object.reason], ['ERROR', 410, 'Expired']);
  await ok(['delete', 'roletemplate', 'rt-watched']);
});

test('deleting heeds preconditions, and a dry run changes nothing', { skip }, async () => {
  await ok(['create', '-f', '-'], template('rt-del'));
  const path = `${group}/roletemplates/rt-del`;
  const wrong = await server.fetch('DELETE', path, { token: admin, body: { preconditions: { uid: 'other' } } });
  assert.deepEqual([wrong.status, wrong.body.reason], [409, 'Conflict']);
  const policy = await server.fetch('DELETE', path, { token: admin, body: { propagationPolicy: 'Sideways' } });
  assert.deepEqual([policy.status, policy.body.details.causes[0].field], [422, 'propagationPolicy']);
  await ok(['delete', 'roletemplate', 'rt-del', '--dry-run=server']);
  await ok(['label', 'roletemplate', 'rt-del', 'a=b', '--dry-run=server']);
  assert.equal(JSON.parse(await ok(['get', 'roletemplate', 'rt-del', '-o', 'json'])).metadata.labels.a, undefined);
  await ok(['delete', 'roletemplate', 'rt-del']);
  await refused('admin', ['delete', 'roletemplate', 'cluster-owner'], /Forbidden/);
});

test('others’ clusters are not there, by any verb; a member changes nothing', { skip }, async () => {
  const { out } = await kubectl('member', ['get', 'clusters', '-o', 'name']);
  assert.equal(out.trim(), `cluster.management.cattle.io/${mine}`);
  await refused('member', ['get', 'cluster', others], /NotFound/);
  await refused('member', ['delete', 'cluster', others], /NotFound/);
  await refused('member', ['label', 'cluster', mine, 'taken=over'], /Forbidden.* cannot update resource "clusters"/);
  await refused('member', ['delete', 'cluster', mine], /Forbidden/);
  const watch = await server.fetch('GET', `${group}/clusters?watch=true&timeoutSeconds=1`, { token: member.token });
  const text = typeof watch.body === 'string' ? watch.body : JSON.stringify(watch.body);
  assert.ok(text.includes(mine) && !text.includes(others), text);
  assert.match(
    (await kubectl('member', ['auth', 'can-i', 'delete', `clusters.management.cattle.io/${mine}`])).out,
    /^no/,
  );
  assert.equal(
    (await kubectl('admin', ['auth', 'can-i', 'delete', `clusters.management.cattle.io/${mine}`])).out.trim(),
    'yes',
  );
  assert.equal(
    (await server.fetch('GET', `${group}/clusters`, { token: admin, headers: { 'impersonate-user': member.id } }))
      .status,
    403,
  );
  assert.equal((await server.fetch('GET', `${group}/clusters`)).status, 401);
});

test('nobody gives more than he has through kubectl either', { skip }, async () => {
  const clerk = await server.makeUser(admin, 'clerk');
  await server.ask(admin, 'POST', '/v3/globalRoleBindings', { globalRoleId: 'users-manage', userId: clerk.id });
  await writeConfig('clerk', await server.login('clerk', 'clerk-password-1234'));
  const binding = (globalRoleName: string) => ({
    apiVersion,
    kind: 'GlobalRoleBinding',
    metadata: { generateName: 'grb-' },
    globalRoleName,
    userName: clerk.id,
  });
  await refused('clerk', ['create', '-f', '-'], /Forbidden.*you can't grant what you don't have/, binding('admin'));
  const own = await kubectl('clerk', ['create', '-f', '-'], binding('users-manage'));
  assert.equal(own.code, 0, own.err);
  const owner = {
    apiVersion,
    kind: 'ClusterRoleTemplateBinding',
    metadata: { generateName: 'crtb-', namespace: mine },
    clusterName: mine,
    roleTemplateName: 'cluster-owner',
    userName: member.id,
  };
  await refused('member', ['create', '-f', '-'], /Forbidden/, owner);
  await refused('admin', ['create', '-f', '-'], /metadata\.namespace: must be/, { ...owner, clusterName: others });
});

test('what a binding says never changes, and a watch ends with Expired when its user is given other rights', {
  skip,
}, async t => {
  const path = `${group}/namespaces/${mine}/clusterroletemplatebindings`;
  const { items } = (await server.fetch('GET', path, { token: admin })).body;
  const { metadata } = items.find((one: { userName?: string }) => one.userName === member.id);
  const patch = ['patch', '-n', mine, 'clusterroletemplatebinding', metadata.name, '--type=merge', '-p'];
  await refused('admin', [...patch, '{"roleTemplateName":"cluster-owner"}'], /roleTemplateName: .*immutable/);
  const agent = new Agent({ connect: { ca: server.ca } });
  t.after(() => agent.destroy());
  const watched = await request(`${server.url}${group}/clusters?watch=true&timeoutSeconds=120`, {
    dispatcher: agent,
    headers: { authorization: `Bearer ${member.token}` },
  });
  const lines = createInterface({ input: watched.body })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? '{"type":"END"}');
  const first = await next();
  assert.deepEqual([first.type, first.object.metadata.name], ['ADDED', mine]);
  const binding = { clusterId: others, roleTemplateId: 'cluster-member', userId: member.id };
  const made = await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', binding);
  await server.ask(admin, 'PUT', `/v3/clusters/${mine}`, { description: 'watched' });
  let event = await next();
  // What changed before he was given more is told of as ever.
  while (event.type === 'MODIFIED') event = await next();
  assert.deepEqual([event.type, event.object.code, event.object.reason], ['ERROR', 410, 'Expired']);
  assert.equal((await next()).type, 'END');
  await server.ask(admin, 'DELETE', `/v3/clusterroletemplatebindings/${made.id}`, undefined, 204);
});

test('settings and projects are written as in v3: an empty value is the default, a project stays in its cluster', {
  skip,
}, async () => {
  const value = async () => JSON.parse(await ok(['get', 'setting', 'ui-pl', '-o', 'json'])).value;
  const before = await value();
  await ok(['patch', 'setting', 'ui-pl', '--type=merge', '-p', '{"value":"theirs"}']);
  assert.equal(await value(), 'theirs');
  assert.equal((await server.ask(admin, 'GET', '/v3/settings/ui-pl')).value, 'theirs');
  await ok(['patch', 'setting', 'ui-pl', '--type=merge', '-p', '{"value":""}']);
  assert.equal(await value(), before);
  await refused('admin', ['delete', 'setting', 'ui-pl'], /MethodNotAllowed/);
  const project = (clusterName: string, description?: string) => ({
    apiVersion,
    kind: 'Project',
    metadata: { name: 'p-kube', namespace: mine },
    spec: { displayName: 'kube', clusterName, description },
  });
  await ok(['apply', '-f', '-'], project(mine, 'a'));
  await ok(['apply', '-f', '-'], project(mine));
  assert.equal((await server.ask(admin, 'GET', `/v3/projects/${mine}:p-kube`)).description ?? '', '');
  await refused('admin', ['apply', '-f', '-'], /spec\.clusterName: a project stays in its cluster/, project(others));
  await ok(['delete', 'project', 'p-kube', '-n', mine, '--timeout=60s']);
});

test('no secret is in any answer: hashes of tokens, passwords, keys', { skip }, async () => {
  const { body } = await server.fetch('GET', `${group}/tokens`, { token: admin });
  assert.ok(body.items.length > 0);
  assert.ok(
    body.items.every((one: { token?: string; userId: string }) => one.token === undefined && one.userId === adminId),
  );
  const document = JSON.stringify(body);
  assert.ok(!document.includes('$3:'), document);
  const user = { apiVersion, kind: 'User', username: 'made', password: 'made-password-1234', displayName: 'Made' };
  const made = await server.fetch('POST', `${group}/users`, { token: admin, body: user });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.ok(!JSON.stringify(made.body).includes('made-password'));
  assert.ok(await server.login('made', 'made-password-1234'));
});
