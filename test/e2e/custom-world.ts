/**
 * What the tests of clusters on hosts through a server stand on: hosts, a server that they reach, which has the agent and a bundle for
 * them, and a cluster that it is to make. The server may be killed and comes back at the same address.
 */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, until } from '@drover/base';
import { roomyKubelet, startHosts, type TestHost, type TestHosts } from '../hosts/index.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { withLayer } from './agent-layer.ts';
import { buildAgentImage } from './spine.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
type Wire = any;

export interface CustomWorld extends AsyncDisposable {
  readonly world: TestHosts;
  readonly dir: string;
  readonly server: () => ServerProcess;
  readonly clusterId: string;
  readonly ask: (method: string, path: string, body?: unknown, status?: number) => Promise<Wire>;
  /** Ends it, by force or as a service is ended. */
  stopServer(signal: NodeJS.Signals): Promise<void>;
  /** Gives the server another agent for hosts: the one that is there and these files over it. */
  changeAgent(files: Readonly<Record<string, string>>): Promise<void>;
  startServer(): Promise<void>;
  /** Runs the node command on the host, with what is appended; what it printed. */
  join(host: TestHost, flags: readonly string[]): Promise<string>;
  cluster(): Promise<Wire>;
  timeline(): Promise<Wire>;
  /** Waits for a state of the cluster; tells what it last said where it does not come. */
  reach(what: string, probe: (cluster: Wire) => boolean, timeoutMs?: number): Promise<Wire>;
  kubeconfig(token: string, name: string): Promise<string>;
}

export interface CustomWorldOptions {
  /** What the cluster shall be; hosts register unless it names them. */
  readonly config?: (world: TestHosts) => { readonly services?: object; readonly [field: string]: unknown };
  /** Default: the usual one. */
  readonly bundles?: readonly string[];
  readonly signal?: AbortSignal;
}

export async function startCustomWorld(
  count: number,
  { config = () => ({}), bundles = [], signal }: CustomWorldOptions = {},
): Promise<CustomWorld> {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'drover-custom-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const images = join(dir, 'images');
  await mkdir(images);
  const [world, archive] = await Promise.all([startHosts({ count, signal }), buildAgentImage(images)]);
  const agent = await readFile(archive);
  undo.use(world);
  const dataDir = join(dir, 'data');
  const port = 18_443;
  const start = () =>
    startServer({
      host: world.machineAddress,
      port,
      dataDir,
      // Hosts that boot beside it take all that this machine has.
      readyTimeoutMs: 120_000,
      args: [
        ...['--cluster', 'none', '--agent-images', images],
        ...(bundles.length > 0 ? ['--bundle', bundles.join(',')] : []),
      ],
    });
  let server = await start();
  undo.defer(() => server[Symbol.asyncDispose]());
  const admin = await server.login();
  const ask: CustomWorld['ask'] = (method, path, body, status) => server.ask(admin, method, path, body, status);
  const { services, ...rest } = config(world);
  const made = await ask('POST', '/v3/clusters', {
    name: 'hosts',
    rancherKubernetesEngineConfig: { ...rest, services: { kubelet: { extraArgs: roomyKubelet }, ...services } },
  });
  const clusterId = made.id as string;
  const path = `/v3/clusters/${clusterId}`;
  const cluster = () => ask('GET', path);
  const timeline = () => ask('GET', `${path}/timeline`);
  const keep = undo.move();
  return {
    world,
    dir,
    server: () => server,
    clusterId,
    ask,
    async stopServer(how) {
      await server.stop(how);
    },
    async changeAgent(files) {
      const changed = await withLayer(agent, files);
      await writeFile(`${archive}.new`, changed);
      await rename(`${archive}.new`, archive);
    },
    async startServer() {
      server = await start();
    },
    async join(host, flags) {
      const command = await until('the node command', async () => {
        const { data } = await ask('GET', `${path}/clusterregistrationtokens`);
        return data[0]?.nodeCommand as string | undefined;
      });
      return host.exec(['sh', '-c', `${command} ${flags.join(' ')}`]);
    },
    cluster,
    timeline,
    async reach(what, probe, timeoutMs = 420_000) {
      let last: Wire;
      try {
        return await until(
          what,
          async () => {
            last = await cluster();
            return probe(last) && last;
          },
          { timeoutMs, everyMs: 250 },
        );
      } catch (error) {
        const { data } = await timeline();
        const steps = data.slice(-12).map((step: Wire) => JSON.stringify(step));
        const { state, transitioningMessage, conditions } = last ?? {};
        throw new Error(
          `${messageOf(error)}: ${state}: ${transitioningMessage}\n${JSON.stringify(conditions)}\n${steps.join('\n')}\n${server.output.slice(-3000)}`,
        );
      }
    },
    async kubeconfig(token, name) {
      const { config } = await server.ask(token, 'POST', `${path}?action=generateKubeconfig`, {}, 200);
      const file = join(dir, `${name}.kubeconfig`);
      await writeFile(file, config, { mode: 0o600 });
      return file;
    },
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  };
}

/** Nothing of a cluster, and no agent. */
export async function isClean(host: TestHost): Promise<string> {
  return host.exec([
    'sh',
    '-c',
    `ls -d /opt/drover /etc/drover /etc/kubernetes /var/lib/kubelet /var/lib/etcd/member /etc/systemd/system/drover-* 2>/dev/null
ls -d /usr/local/lib/drover-node-agent /var/lib/drover-node-agent /usr/local/lib/systemd/system/drover-* 2>/dev/null
ip -o link | grep -E 'flannel|cni0|veth.*@'
iptables-save | grep -E 'KUBE-|FLANNEL|CNI-'
grep -E '/var/lib/kubelet/pods|/run/drover' /proc/mounts
pgrep -fa '^/opt/drover'
pgrep -fa '^/usr/local/lib/drover-node-agent'
pgrep -x containerd
true`,
  ]);
}
