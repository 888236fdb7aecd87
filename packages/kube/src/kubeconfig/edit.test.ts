/** Putting entries into somebody's kubeconfig: nothing of theirs is lost, nothing is half-written. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Secret } from '@drover/base';
import { toConnection } from './connection.ts';
import { formatKubeconfig, mergeIntoKubeconfig } from './edit.ts';
import { loadKubeconfig, writeKubeconfig } from './files.ts';

async function tempFile(t: TestContext, text?: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-kubeconfig-'));
  t.after(() => rm(dir, { recursive: true }));
  const path = join(dir, 'config');
  if (text !== undefined) await writeFile(path, text);
  return path;
}

const theirs = `# mine, do not touch
apiVersion: v1
kind: Config
current-context: work
clusters:
- name: work # the big one
  cluster: {server: https://work:6443, x-own: kept}
users:
- name: me
  user: {token: secret}
contexts:
- name: work
  context: {cluster: work, user: me}
preferences: {colors: true}
`;
const ours = (name: string, server: string, token = 't1') =>
  formatKubeconfig({ name, server, token: new Secret(token), ca: '-----BEGIN CERTIFICATE-----' });

test('entries are added, replaced when they are ours, and everything else stays', async t => {
  const path = await tempFile(t, theirs);
  await mergeIntoKubeconfig(await ours('prod', 'https://hub/k8s/clusters/c-1'), { path });
  const second = await mergeIntoKubeconfig(await ours('prod', 'https://hub/k8s/clusters/c-1', 't2'), { path });
  assert.deepEqual(second, { path, context: 'prod' });
  const text = await readFile(path, 'utf8');
  for (const kept of ['# mine, do not touch', '# the big one', 'x-own: kept', 'colors: true', 'token: secret']) {
    assert.ok(text.includes(kept), `${kept} in ${text}`);
  }
  const config = await loadKubeconfig({ path });
  assert.deepEqual([config.currentContext, config.contexts.length, config.users.length], ['prod', 2, 2]);
  assert.equal(((await toConnection(config, { env: {} })).token as Secret).reveal(), 't2');
  assert.equal(((await toConnection(config, { env: {}, context: 'work' })).token as Secret).reveal(), 'secret');
});

for (const name of ['work', 'me']) {
  test(`the name ${name}, which is taken for something else, is not overwritten`, async t => {
    const path = await tempFile(t, theirs);
    const { context } = await mergeIntoKubeconfig(await ours(name, 'https://hub/k8s/clusters/c-1'), {
      path,
      use: false,
    });
    assert.equal(context, `${name}-2`);
    const config = await loadKubeconfig({ path });
    assert.deepEqual([config.currentContext, config.contexts.length], ['work', 2]);
    const before = await toConnection(config, { env: {} });
    assert.deepEqual([before.server, (before.token as Secret).reveal()], ['https://work:6443', 'secret']);
  });
}

test('a file that is not there is made for its owner alone; a link stays a link', async t => {
  const path = await tempFile(t);
  await symlink(`${path}-real`, path);
  await writeFile(`${path}-real`, '');
  await chmod(`${path}-real`, 0o644);
  await mergeIntoKubeconfig(await ours('a', 'https://a'), { path });
  assert.equal((await stat(`${path}-real`)).mode & 0o777, 0o600);
  assert.deepEqual((await readdir(join(path, '..'))).sort(), ['config', 'config-real']);
  const fresh = join(path, '..', 'new', 'config');
  await mergeIntoKubeconfig(await ours('a', 'https://a'), { path: fresh });
  assert.equal((await stat(fresh)).mode & 0o777, 0o600);
});

test('a file that can not be read as a kubeconfig is left as it was', async t => {
  const path = await tempFile(t, 'clusters: [');
  await assert.rejects(mergeIntoKubeconfig(await ours('a', 'https://a'), { path }), /must be valid YAML/);
  assert.equal(await readFile(path, 'utf8'), 'clusters: [');
  assert.deepEqual(await readdir(join(path, '..')), ['config']);
});

test('twenty at once are all in the file afterwards', async t => {
  const path = await tempFile(t, theirs);
  const names = Array.from({ length: 20 }, (_, n) => `c${n}`);
  await Promise.all(names.map(async name => mergeIntoKubeconfig(await ours(name, `https://${name}`), { path })));
  const config = await loadKubeconfig({ path });
  assert.deepEqual(config.contexts.map(one => one.name).sort(), [...names, 'work'].sort());
});

test('a lock that nobody gives back is named', async t => {
  const path = await tempFile(t, theirs);
  await writeFile(`${path}.lock`, '');
  await assert.rejects(mergeIntoKubeconfig(await ours('a', 'https://a'), { path }), /config\.lock.*remove this file/);
  assert.equal(await readFile(path, 'utf8'), theirs);
});

test('a directory that can not be written to is told', async t => {
  const path = await tempFile(t, '');
  await assert.rejects(writeKubeconfig(join(path, 'below'), 'x'), /EEXIST|ENOTDIR|can't write/);
});
