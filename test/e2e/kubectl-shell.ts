/**
 * kubectl shells of people in a real cluster: an image with Debian's busybox and the real kubectl, and a client that types into one and
 * reads what it says, as dashboards do.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until } from '@drover/base';
import { writeImage } from '@drover/engine';
import { WebSocket } from 'ws';
import { busyboxFiles } from './node/image.ts';
import type { Spine } from './spine.ts';

const shellImage = 'drover.test/shell:1';

/** Puts the image on the node and has shells run in it. */
async function loadShellImage({ cluster, server, adminToken, dir }: Spine): Promise<void> {
  const path = join(dir, 'images', 'shell.tar');
  const kubectl = { path: 'bin/kubectl', mode: 0o755, content: await readFile(cluster.kubectlPath) };
  const config = { Cmd: ['sh'], Env: ['PATH=/bin:/usr/bin'] };
  await writeImage(path, { name: shellImage, files: [...(await busyboxFiles()), kubectl], config });
  await cluster.loadImage(path);
  await server.ask(adminToken, 'PUT', '/v3/settings/shell-image', { value: shellImage });
}

interface KubectlShell extends AsyncDisposable {
  /** Types a command, and resolves with all that was said since once it has ended. */
  run(command: string): Promise<string>;
  readonly text: () => string;
  /** Why it ended; undefined while it has not. */
  readonly ended: () => string | undefined;
}

function openKubectlShell({ server, clusterId }: Spine, token: string): KubectlShell {
  const query = 'shell=true&stdout=1&stdin=1&stderr=1&tty=1&command=/bin/sh';
  const url = `${server.url}/v3/clusters/${clusterId}?${query}`;
  const socket = new WebSocket(url, ['base64.channel.k8s.io'], {
    ca: server.ca,
    headers: { authorization: `Bearer ${token}` },
  });
  let text = '';
  let ended: string | undefined;
  socket.on('message', (data: Buffer) => {
    const frame = data.toString();
    if (frame[0] === '1') text += Buffer.from(frame.slice(1), 'base64').toString();
  });
  socket.on('error', error => (ended = error.message));
  socket.once('close', (_, reason) => (ended ??= reason.toString()));
  let count = 0;
  return {
    text: () => text,
    ended: () => ended,
    async run(command) {
      await until('the shell', () => (ended === undefined ? /k is kubectl/.test(text) : Promise.reject(Error(ended))), {
        timeoutMs: 60_000,
      });
      const from = text.length;
      // What is typed is shown as well: the sum is in the answer alone.
      const mark = `end-${++count + 1}`;
      socket.send(`0${Buffer.from(`${command}; echo end-$((${count}+1))\n`).toString('base64')}`);
      await until(`${command} to end`, () => text.slice(from).includes(mark), { timeoutMs: 60_000 });
      return text.slice(from);
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await until('it to be closed', () => socket.readyState === WebSocket.CLOSED);
    },
  };
}

/** Pods of shells in the cluster, and tokens of shells that somebody has. */
async function leftOfShells({ cluster, server }: Spine, token: string): Promise<readonly string[]> {
  const labels = 'drover.io/part-of=shell';
  const pods = await cluster.runKubectl(['-n', 'cattle-system', 'get', 'pods', '-l', labels, '-o', 'name']);
  const { data } = await server.ask(token, 'GET', '/v3/tokens');
  const tokens = data.filter((one: { description?: string }) => one.description === 'kubectl shell');
  return [...pods.split('\n').filter(Boolean), ...tokens.map((one: { id: string }) => one.id)];
}

/** Shells of an admin and of a member of one project, what each may, and what is left of them. */
export async function requireShells(t: TestContext, it: Spine): Promise<void> {
  const { clusterId, server, adminToken } = it;
  await loadShellImage(it);
  const begun = performance.now();
  const admin = openKubectlShell(it, adminToken);
  assert.match(await admin.run('k get nodes -o name'), new RegExp(`node/${it.cluster.nodeNames[0]}`));
  t.diagnostic(`from asking for a shell to its first answer: ${Math.round(performance.now() - begun)} ms`);
  assert.match(await admin.run('id -u; ls /var/run/secrets'), /1000[\s\S]*No such file/);
  await admin[Symbol.asyncDispose]();
  await until('nothing to be left', async () => (await leftOfShells(it, adminToken)).length === 0);

  const nora = await it.member('nora');
  const { id: projectId } = await server.ask(adminToken, 'POST', '/v3/projects', { name: 'shown', clusterId });
  await server.ask(adminToken, 'POST', `/v3/cluster/${clusterId}/namespaces`, { name: 'shown', projectId });
  const given = { projectId, userId: nora.id, roleTemplateId: 'project-member' };
  const { id } = await server.ask(adminToken, 'POST', '/v3/projectroletemplatebindings', given);
  const may = ['auth', 'can-i', 'get', 'pods', '-n', 'shown', '--as', nora.id];
  await until('her rights', async () => (await it.cluster.runKubectl(may)).trim() === 'yes', { timeoutMs: 15_000 });
  await using hers = openKubectlShell(it, nora.token);
  assert.match(await hers.run('k get pods -n shown'), /No resources found in shown/);
  assert.match(await hers.run('k get pods -n default'), /Forbidden/);
  assert.match(await hers.run('k get secrets -n cattle-system'), /Forbidden/);
  const cutAt = performance.now();
  await server.ask(adminToken, 'DELETE', `/v3/projectroletemplatebindings/${id}`, undefined, 204);
  await until('it to be cut', () => hers.ended() !== undefined);
  t.diagnostic(`cut after ${Math.round(performance.now() - cutAt)} ms: ${hers.ended()}`);
  await until('nothing to be left', async () => (await leftOfShells(it, nora.token)).length === 0);
}
