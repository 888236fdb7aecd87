/** The part of the command table for clusters that a server makes of hosts. */
import type { Command } from 'commander';
import type { GlobalFlags } from './context.ts';

type Run = (args: string[], flags: GlobalFlags & Record<string, never>) => Promise<unknown>;
type Action = (command: Command, run: Run) => Command;

const collect = (value: string, before: readonly string[] = []) => [...before, value];

export function addEngineClusters(clusters: Command, action: Action): void {
  const load = () => import('./commands/cluster-hosts.ts');
  action(
    clusters
      .command('create <name>')
      .description('have the server make one of hosts; prints the command to run on them')
      .option('--config <file>', 'what it shall be, as a cluster.yml has it')
      .option('--wait', 'stay until it is active, and say each step')
      .option('--timeout <seconds>', 'how long', '1800'),
    async ([name], flags) => (await load()).createCluster(name!, flags),
  );
  action(
    clusters
      .command('node-command <cluster>')
      .description('the command that makes a host a node of it')
      .option('--etcd', 'it holds the data of the cluster')
      .option('--controlplane', 'it runs the cluster’s API')
      .option('--worker', 'it runs workloads')
      .option('--node-name <name>', 'its name in the cluster')
      .option('--address <address>', 'where people reach it: an address or an interface')
      .option('--internal-address <address>', 'where the other nodes do')
      .option('--label <key=value>', 'may be given several times', collect)
      .option('--taints <key=value:effect>', 'may be given several times', collect),
    async ([cluster], flags) => (await load()).printNodeCommand(cluster!, flags),
  );
  action(
    clusters
      .command('timeline <cluster>')
      .description('what is done to its hosts, step by step')
      .option('-f, --follow', 'stay and tell what comes'),
    async ([cluster], flags) => (await load()).showTimeline(cluster!, flags),
  );
  const loadCare = () => import('./commands/cluster-care.ts');
  action(clusters.command('snapshot <cluster>').description('make a snapshot of its etcd'), async ([cluster], flags) =>
    (await loadCare()).snapshotCluster(cluster!, flags),
  );
  action(clusters.command('snapshots <cluster>').description('the snapshots there are'), async ([cluster], flags) =>
    (await loadCare()).listSnapshots(cluster!, flags),
  );
  action(
    clusters
      .command('restore <cluster> <snapshot>')
      .description('bring it back to a snapshot, by its id or file name')
      .option('--with <what>', 'also bring back kubernetesVersion, or all of its settings')
      .option('-y, --yes', 'without asking'),
    async ([cluster, snapshot], flags) => (await loadCare()).restoreCluster(cluster!, snapshot!, flags),
  );
  action(
    clusters
      .command('rotate-certificates <cluster>')
      .description('issue its certificates anew')
      .option('--service <name>', 'of this component alone')
      .option('--ca', 'by new authorities'),
    async ([cluster], flags) => (await loadCare()).rotateCertificates(cluster!, flags),
  );
  action(
    clusters.command('rotate-encryption-key <cluster>').description('have its Secrets written by a new key'),
    async ([cluster], flags) => (await loadCare()).rotateEncryptionKey(cluster!, flags),
  );
}
