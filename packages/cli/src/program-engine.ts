/** The part of the command table that makes clusters on hosts, without a server. */
import { type Command, Option } from 'commander';
import type { GlobalFlags } from './context.ts';

type Run = (args: string[], flags: GlobalFlags & Record<string, never>) => Promise<unknown>;
type Action = (command: Command, run: Run) => Command;

const collect = (value: string, before: readonly string[] = []) => [...before, value];

export function addEngine(program: Command, action: Action): void {
  const rke = program.command('rke').description('Kubernetes on hosts of your own, from a cluster.yml');
  const load = () => import('./commands/rke.ts');
  const loadUtil = () => import('./commands/rke-util.ts');
  const withFile = (command: Command) =>
    command
      .option('--config <file>', 'what the cluster shall be (default: $RKE_CONFIG, or cluster.yml)')
      .option('--ssh-agent-auth', 'keys of hosts come from an ssh-agent')
      .option('--strict-host-keys', 'refuse hosts whose key was never seen');
  const withOldFlags = (command: Command) =>
    command
      .option('--local', 'this machine is the one host')
      .addOption(new Option('--dind', 'refused: there is no Docker').hideHelp())
      .addOption(new Option('--dind-storage-driver <name>').hideHelp())
      .addOption(new Option('--dind-dns-server <address>').hideHelp())
      .addOption(new Option('--ignore-docker-version', 'does nothing: there is no Docker').hideHelp());
  const withCerts = (command: Command) =>
    command
      .option('--custom-certs', 'take certificates from a folder instead of issuing them')
      .option('--cert-dir <dir>', 'that folder (default: NAME_certs beside the config)');
  action(
    withCerts(withOldFlags(withFile(rke.command('up'))))
      .description('bring the cluster to what the file says; safe to run again')
      .option('--bundle <place>', 'the bundle to use, a folder or a tar (default: of drover bundle build)')
      .option('--forget-host-key <node>', 'of a host that was made anew; may be given several times', collect)
      .option('--init', 'only make the state: certificates and keys')
      .option('--update-only', 'leave hosts of etcd and control planes as they are')
      .option('--disable-port-check', 'do not try the ways between hosts first')
      .option('--dry-run', 'only say what would be done'),
    async (_, flags) => (await load()).up(flags),
  );
  action(
    withOldFlags(withFile(rke.command('remove')))
      .description('take the cluster off its hosts')
      .option('--force', 'do not ask'),
    async (_, flags) => (await load()).remove(flags),
  );

  action(withFile(rke.command('version')).description('of the cluster’s API server'), async (_, flags) =>
    (await loadUtil()).version(flags),
  );
  action(
    rke
      .command('config')
      .description('write a cluster.yml, by asking for what it takes')
      .option('--name <file>', 'where to (default: cluster.yml)')
      .option('--empty', 'ask for nothing')
      .option('--print', 'only show it')
      .option('--list-version', 'the version of Kubernetes that the bundle has')
      .option('--all', 'with --list-version: all that bundles can be made of')
      .option('--system-images', 'the images that the bundle has')
      .option('--bundle <dir>', 'the bundle meant (default: the one of drover bundle build)'),
    async (_, flags) => (await import('./commands/rke-config.ts')).config(flags),
  );
  const util = rke.command('util').description('what lies beside the config, got again');
  action(
    withFile(util.command('get-state-file'))
      .description('the state, from a control plane')
      .option('--force', 'write over one that is there'),
    async (_, flags) => (await loadUtil()).getStateFile(flags),
  );
  action(withFile(util.command('get-kubeconfig')).description('made anew from the state'), async (_, flags) =>
    (await loadUtil()).getKubeconfig(flags),
  );

  const etcd = rke.command('etcd').description('snapshots of etcd');
  const loadEtcd = () => import('./commands/rke-etcd.ts');
  const withS3 = (command: Command) =>
    command
      .option('--s3', 'in S3, at the place of the file (backup_config.s3backupconfig) but for what is given here')
      .option('--s3-endpoint <host>', 'any that speaks S3')
      .option('--s3-endpoint-ca <file>', 'PEM of who signs its certificate')
      .option('--bucket-name <name>', 'the bucket')
      .option('--region <name>', 'of the bucket')
      .option('--access-key <key>', 'default: $AWS_ACCESS_KEY_ID; without: the role of the host')
      .option('--secret-key <key>', 'default, and safer: $AWS_SECRET_ACCESS_KEY')
      .option('--folder <path>', 'in the bucket');
  action(
    withS3(withFile(etcd.command('snapshot-save')))
      .description('make one on every host with a member, verified there')
      .option('--name <name>', 'what to call it (default: by the time)')
      .option('--copy <dir>', 'where a copy and the state go (default: snapshots beside the config)')
      .option('--no-copy', 'leave it on the hosts alone'),
    async (_, flags) => (await loadEtcd()).save(flags),
  );
  action(
    withS3(withFile(etcd.command('snapshot-list'))).description('which there are, on the hosts and with --s3 there'),
    async (_, flags) => (await loadEtcd()).list(flags),
  );
  action(
    withS3(withFile(etcd.command('snapshot-delete')))
      .description('remove one from the hosts, and with --s3 from there')
      .option('--name <name>', 'the one meant'),
    async (_, flags) => (await loadEtcd()).remove(flags),
  );
  action(
    withS3(withFile(etcd.command('snapshot-restore')))
      .description('bring the cluster back to one, on its hosts or on new ones')
      .option('--name <name>', 'the one meant')
      .option('--from <file>', 'a copy on this machine, for hosts that have none')
      .option('--use-local-state', 'never take the state that lies beside the snapshot')
      .option('--bundle <place>', 'the bundle to use, a folder or a tar (default: of drover bundle build)'),
    async (_, flags) => (await loadEtcd()).restore(flags),
  );

  const loadCert = () => import('./commands/rke-cert.ts');
  const cert = rke.command('cert').description('certificates of the cluster');
  action(
    withFile(cert.command('rotate'))
      .description('issue them anew; safe to run again where it broke off')
      .option('--service <name>', 'of this component alone; may be given several times', collect)
      .option('--rotate-ca', 'by new authorities, which replace the old ones in three rounds')
      .option('--restart-workloads <whose>', 'that trust them then: system (default) or all')
      .option('--bundle <place>', 'the bundle to use, a folder or a tar (default: of drover bundle build)')
      .option('--dry-run', 'only say what would be done in the first round'),
    async (_, flags) => (await loadCert()).rotate(flags),
  );
  action(
    withCerts(withFile(cert.command('generate-csr'))).description('write requests for certificates that others sign'),
    async (_, flags) => (await loadCert()).generateCsr(flags),
  );
  action(withFile(cert.command('list').alias('ls')).description('when each of them ends'), async (_, flags) =>
    (await loadCert()).list(flags),
  );
  const encrypt = rke.command('encrypt').description('Secrets at rest');
  action(
    withFile(encrypt.command('rotate-key'))
      .description('write all Secrets by a new key and drop the old one; safe to run again where it broke off')
      .option('--bundle <place>', 'the bundle to use, a folder or a tar (default: of drover bundle build)'),
    async (_, flags) => (await import('./commands/rke-encrypt.ts')).rotateKey(flags),
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
