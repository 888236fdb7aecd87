/**
 * kubectl: runs the real one against a cluster through the proxy, with a token that lives an hour and a kubeconfig that
 * is gone when it ends. Arguments, terminal, signals and exit code pass through.
 */
import { spawn } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { notFound } from '@drover/base';
import { writePrivate } from '../config.ts';
import { type Context, findCluster, type GlobalFlags, openContext } from '../context.ts';
import { clusterToken } from './credential.ts';

/** Runs kubectl and answers its exit code. */
export async function kubectl(args: readonly string[], flags: GlobalFlags): Promise<number> {
  await using context = await openContext(flags);
  const cluster = await findCluster(context, undefined);
  const { token } = await clusterToken(context, cluster.id);
  const binary = await findKubectl();
  const directory = await mkdtemp(join(tmpdir(), 'drover-kubectl-'));
  try {
    const kubeconfig = join(directory, 'config');
    await writePrivate(
      kubeconfig,
      proxyKubeconfig(context, { id: cluster.id, name: cluster.name ?? cluster.id }, { token }),
    );
    return await run(binary, args, { ...process.env, KUBECONFIG: kubeconfig });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A kubeconfig with one context that goes through the proxy. JSON is YAML too, and nothing in it needs escaping by hand. */
export function proxyKubeconfig(
  context: Context,
  cluster: { id: string; name: string },
  user: Record<string, unknown>,
): string {
  const { url, ca } = context.server;
  const target = {
    server: `${url}/k8s/clusters/${cluster.id}`,
    ...(ca ? { 'certificate-authority-data': Buffer.from(ca).toString('base64') } : {}),
  };
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: cluster.name, cluster: target }],
      users: [{ name: cluster.name, user }],
      contexts: [{ name: cluster.name, context: { cluster: cluster.name, user: cluster.name } }],
      'current-context': cluster.name,
    },
    undefined,
    2,
  )}\n`;
}

async function findKubectl(): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'drover', 'kubernetes');
  const versions = (await readdir(cache).catch(() => [])).sort().reverse();
  const fromPath = (process.env['PATH'] ?? '').split(delimiter).map(directory => join(directory, 'kubectl'));
  for (const candidate of [...fromPath, ...versions.map(version => join(cache, version, 'kubectl'))]) {
    if (
      existsSync(candidate) &&
      (await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return candidate;
  }
  throw notFound('program', 'kubectl');
}

function run(binary: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(binary, args, { stdio: 'inherit', env });
  // Ctrl-C reaches kubectl by the terminal; what comes to us alone is passed on, and we stay to clean up after it.
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  const ignore = () => undefined;
  process.on('SIGTERM', pass).on('SIGHUP', pass).on('SIGINT', ignore);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : 15)));
  });
}
