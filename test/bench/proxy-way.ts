/** A kube-apiserver, and two ways to it: its own, and through a server of ours and an agent as its image runs it. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@drover/base';
import { bundle } from '../../tools/image/bundle.ts';
import { isHere, platforms } from '../../tools/image/platform.ts';
import { programs } from '../../tools/image/programs.ts';
import { type Child, startChild } from '../integration/child.ts';
import { startApiServer, type TestApiServer } from '../integration/kube-apiserver.ts';
import { askOnce, directWay, type Way } from './load.ts';
import { makeOneObject, oneObject } from './reference-machine.ts';

const root = join(import.meta.dirname, '../..');

export interface TwoWays {
  readonly api: TestApiServer;
  /** For files; it goes with the scope. */
  readonly dir: string;
  readonly direct: Way;
  /** Its processes are the server and the agent. */
  readonly ours: Way;
}

/** All of it ends with the scope. The object that benches read is there. */
export async function startTwoWays(scope: AsyncDisposableStack): Promise<TwoWays> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-bench-'));
  scope.defer(() => rm(dir, { recursive: true, force: true }));
  const api = scope.use(await startApiServer());
  await makeOneObject(api.connection);
  return { api, dir, direct: directWay(api.connection), ours: await startOurWay(scope, api, dir) };
}

async function startOurWay(scope: AsyncDisposableStack, api: TestApiServer, dir: string): Promise<Way> {
  const logPath = join(dir, 'hub.log');
  const hub = scope.use(await startChild(process.execPath, [join(root, 'test/bench/proxy-hub.ts')], { logPath }));
  interface Said {
    readonly url: string;
    readonly dir: string;
    readonly id: string;
    readonly token: string;
    readonly bearer: string;
  }
  const said: Said = await until('the server', async () => {
    const line = (await readFile(logPath, 'utf8')).split('\n').find(text => text.startsWith('{"url"'));
    return line === undefined ? undefined : (JSON.parse(line) as Said);
  });
  const ca = await readFile(join(said.dir, 'ca.crt'), 'utf8');
  const agent: Child = scope.use(
    await startChild(
      process.execPath,
      [
        ...(await agentAsShipped(dir)),
        ...['--server', said.url, '--ca-file', join(said.dir, 'ca.crt'), '--kubeconfig', api.kubeconfigPath],
      ],
      { logPath: join(dir, 'agent.log'), env: { ...process.env, ...agentEnv, DROVER_TOKEN: said.token } },
    ),
  );
  const manifest = join(dir, 'import.yaml');
  const run_ = promisify(execFile);
  await run_('curl', ['-sfk', '-o', manifest, `${said.url}/v3/import/${said.token}_${said.id}.yaml`]);
  await run_(api.kubectl, ['--kubeconfig', api.kubeconfigPath, 'apply', '-f', manifest]);
  const headers = { authorization: `Bearer ${said.bearer}` };
  const path = `/k8s/clusters/${said.id}`;
  const way = { origin: said.url, path, headers, tls: { ca }, pids: [hub.pid, agent.pid] };
  await until('the way through', async () => (await askOnce(way, oneObject)) > 0, {
    timeoutMs: 30_000,
    everyMs: 200,
  });
  return way;
}

const { main: agentMain, nodeFlags, env } = programs.find(({ name }) => name === 'agent')!;
const agentEnv = Object.fromEntries(env.map(pair => pair.split('=') as [string, string]));

/** The agent as its image runs it: one bundle, with the image's flags for Node; from source where no image is made for this machine. */
async function agentAsShipped(dir: string): Promise<readonly string[]> {
  const platform = platforms.find(isHere);
  if (!platform) return [...nodeFlags, join(root, agentMain)];
  for (const file of await bundle(agentMain, 'agent', platform)) {
    if (!file.bytes) continue;
    const path = join(dir, file.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.bytes);
  }
  return [...nodeFlags, join(dir, 'agent/main.mjs')];
}
