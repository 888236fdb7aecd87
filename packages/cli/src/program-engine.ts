/** The part of the command table that makes clusters on hosts, without a server. */
import type { Command } from 'commander';
import type { GlobalFlags } from './context.ts';

type Run = (args: string[], flags: GlobalFlags & Record<string, never>) => Promise<unknown>;
type Action = (command: Command, run: Run) => Command;

const collect = (value: string, before: readonly string[] = []) => [...before, value];

export function addEngine(program: Command, action: Action): void {
  const rke = program.command('rke').description('Kubernetes on hosts of your own, from a cluster.yml');
  const load = () => import('./commands/rke.ts');
  const withFile = (command: Command) =>
    command
      .option('--config <file>', 'what the cluster shall be (default: $RKE_CONFIG, or cluster.yml)')
      .option('--strict-host-keys', 'refuse hosts whose key was never seen');
  action(
    withFile(rke.command('up'))
      .description('bring the cluster to what the file says; safe to run again')
      .option('--bundle <place>', 'the bundle to use, a folder or a tar (default: of drover bundle build)')
      .option('--forget-host-key <node>', 'of a host that was made anew; may be given several times', collect)
      .option('--dry-run', 'only say what would be done'),
    async (_, flags) => (await load()).up(flags),
  );
  action(
    withFile(rke.command('remove')).description('take the cluster off its hosts').option('--force', 'do not ask'),
    async (_, flags) => (await load()).remove(flags),
  );

  const etcd = rke.command('etcd').description('snapshots of etcd');
  const loadEtcd = () => import('./commands/rke-etcd.ts');
  action(
    withFile(etcd.command('snapshot-save'))
      .description('make one on every host with a member')
      .option('--name <name>', 'what to call it (default: by the time)')
      .option('--copy <dir>', 'where a copy and the state go (default: snapshots beside the config)')
      .option('--no-copy', 'leave it on the hosts alone'),
    async (_, flags) => (await loadEtcd()).save(flags),
  );
  action(
    withFile(etcd.command('snapshot-restore'))
      .description('bring the cluster back to one, on its hosts or on new ones')
      .option('--name <name>', 'the one meant')
      .option('--from <file>', 'a copy on this machine, for hosts that have none')
      .option('--bundle <place>', 'the bundle to use, a folder or a tar (default: of drover bundle build)'),
    async (_, flags) => (await loadEtcd()).restore(flags),
  );

  const cert = rke.command('cert').description('certificates of the cluster');
  action(
    withFile(cert.command('rotate'))
      .description('issue them anew, by the same authorities')
      .option('--service <name>', 'of this component alone; may be given several times', collect)
      .option('--bundle <place>', 'the bundle to use, a folder or a tar (default: of drover bundle build)'),
    async (_, flags) => (await import('./commands/rke-cert.ts')).rotate(flags),
  );

  const bundle = program.command('bundle').description('what hosts need to become nodes, of fixed versions');
  const loadBundle = () => import('./commands/bundle.ts');
  const inDir = (command: Command) => command.option('--dir <place>', 'its folder or its tar (default: in the cache)');
  action(
    bundle
      .command('build')
      .description('make one; -o FILE.tar writes it to one file as well')
      .option('--dir <dir>', 'where it is made (default: in the cache)')
      .option('--kubernetes <version>', 'a minor or an exact version, such as 1.37 or v1.37.2')
      .option('--from <where>', "where Kubernetes' own programs come from: build, download or a directory")
      .option(
        '--checksums <file>',
        'what a download has to be, as sha512sum writes it (default: what its vendor publishes)',
      ),
    async (_, flags) => (await loadBundle()).build(flags),
  );
  action(inDir(bundle.command('verify')).description('check every file against its checksum'), async (_, flags) =>
    (await loadBundle()).verify(flags),
  );
  action(inDir(bundle.command('list').alias('ls')).description('what is in it'), async (_, flags) =>
    (await loadBundle()).list(flags),
  );
}
