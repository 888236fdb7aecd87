/**
 * kubeconfig: lets any Kubernetes client reach a cluster through the proxy. By default the token is fetched when needed
 * by an exec plugin; --static writes one into the file instead.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writePrivate } from '../config.ts';
import { findCluster, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { proxyKubeconfig } from './kubectl.ts';

export interface KubeconfigFlags extends GlobalFlags {
  readonly static?: boolean;
  readonly merge?: boolean;
  readonly file?: string;
}

/** How kubectl starts us: by name where that is on PATH, so that the file suits others too; else by the checkout's launcher. */
function ownCommand(): string {
  const launcher = fileURLToPath(new URL('../../../../drover', import.meta.url));
  const onPath = (process.env['PATH'] ?? '').split(delimiter).some(directory => existsSync(join(directory, 'drover')));
  return onPath || !existsSync(launcher) ? 'drover' : launcher;
}

export async function kubeconfig(wanted: string | undefined, flags: KubeconfigFlags): Promise<void> {
  await using context = await openContext({ ...flags, output: undefined });
  const found = await findCluster(context, wanted);
  const cluster = { id: found.id, name: found.name ?? found.id };
  const text = flags.static
    ? (await context.client.action<{ config: string }>(found, 'generateKubeconfig')).config
    : proxyKubeconfig(context, cluster, {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: ownCommand(),
          args: ['credential', '--server', context.name, '--cluster', cluster.id],
          interactiveMode: 'Never',
          installHint: 'This cluster is reached through Drover, whose command line is not on your PATH.',
        },
      });
  if (flags.merge) {
    const { mergeIntoKubeconfig } = await import('@drover/kube');
    const { path, context: written } = await mergeIntoKubeconfig(text, { path: flags.file });
    process.stderr.write(`${say('kubeconfigWritten', { context: written, path })}\n`);
  } else if (flags.file) {
    await writePrivate(flags.file, text);
    process.stderr.write(`${say('kubeconfigWritten', { context: cluster.name, path: flags.file })}\n`);
  } else {
    process.stdout.write(text);
  }
}
