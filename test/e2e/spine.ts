/**
 * What the end-to-end tests of the spine stand on: a real cluster with a real node, a real server that its pods can reach,
 * the agent's image on the node, the cluster imported and active, and a member with a kubeconfig of his own.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '@drover/base';
import { type ServerProcess, startServer } from '../server-process.ts';
import { startTestCluster, type TestCluster } from './node/index.ts';

const run = promisify(execFile);
const imageTool = fileURLToPath(new URL('../../tools/image.ts', import.meta.url));

export interface Spine extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly server: ServerProcess;
  readonly adminToken: string;
  readonly clusterId: string;
  /** From the manifest's apply to Active, with the image on the node, in ms. */
  readonly importMs: number;
  readonly dir: string;
  /** A new user with a role in the cluster (none without one), and his kubeconfig. */
  member(
    name: string,
    role?: string,
  ): Promise<{ readonly id: string; readonly token: string; readonly kubeconfig: string }>;
  clusterState(): Promise<{
    readonly state: string;
    readonly message: string;
    readonly conditions: readonly Record<string, string>[];
  }>;
}

/** Writes the agent's image for this machine, as the node takes it. */
export async function buildAgentImage(dir: string): Promise<string> {
  const arch = process.arch === 'x64' ? 'amd64' : 'arm64';
  await run(process.execPath, [imageTool, 'build', 'agent', '--arch', arch, '--out', dir], { maxBuffer: 1 << 24 });
  return join(dir, `drover-agent-${arch}.tar`);
}

export async function startSpine(): Promise<Spine> {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'drover-spine-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'images'));
  const [cluster, image] = await Promise.all([startTestCluster({ nodes: 1 }), buildAgentImage(join(dir, 'images'))]);
  undo.use(cluster);
  await cluster.loadImage(image);
  const server = undo.use(await startServer({ host: cluster.hostAddress }));
  const adminToken = await server.login();

  const made = await server.ask(adminToken, 'POST', '/v3/clusters', { type: 'cluster', name: 'real' });
  const clusterId = made.id as string;
  const command = await until('the import manifest', async () => {
    const tokens = await server.ask(adminToken, 'GET', `/v3/clusters/${clusterId}/clusterregistrationtokens`);
    return tokens.data[0]?.manifestUrl as string | undefined;
  });
  const manifest = join(dir, 'import.yaml');
  await writeFile(manifest, (await server.fetch('GET', new URL(command).pathname)).body as string);
  const started = performance.now();
  await cluster.runKubectl(['apply', '-f', manifest]);
  const clusterState = async () => {
    const seen = await server.ask(adminToken, 'GET', `/v3/clusters/${clusterId}`);
    return { state: seen.state, message: seen.transitioningMessage, conditions: seen.conditions ?? [] };
  };
  await until('the cluster to be active', async () => (await clusterState()).state === 'active', {
    timeoutMs: 90_000,
    everyMs: 50,
  }).catch(async error => {
    const pods = await cluster.runKubectl(['-n', 'cattle-system', 'describe', 'pods']).catch(String);
    const logs = await cluster
      .runKubectl(['-n', 'cattle-system', 'logs', 'deploy/cattle-cluster-agent', '--tail=30'])
      .catch(String);
    throw new Error(
      `${error.message}: ${JSON.stringify(await clusterState())}\n${pods.slice(-3000)}\n${logs}\n${server.output.slice(-2000)}`,
    );
  });
  const importMs = performance.now() - started;

  const keep = undo.move();
  return {
    cluster,
    server,
    adminToken,
    clusterId,
    importMs,
    dir,
    clusterState,
    async member(name, role) {
      const user = await server.makeUser(adminToken, name);
      if (role)
        await server.ask(adminToken, 'POST', '/v3/clusterRoleTemplateBindings', {
          clusterId,
          userId: user.id,
          roleTemplateId: role,
        });
      const { token } = user;
      // Whoever is no member has no cluster to ask; his kubeconfig is made from another's with his own token.
      const config = role
        ? ((await server.ask(token, 'POST', `/v3/clusters/${clusterId}?action=generateKubeconfig`, {}, 200))
            .config as string)
        : foreignConfig(server, clusterId, token);
      const kubeconfig = join(dir, `${name}.kubeconfig`);
      await writeFile(kubeconfig, config, { mode: 0o600 });
      return { id: user.id as string, token, kubeconfig };
    },
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  };
}

function foreignConfig(server: ServerProcess, clusterId: string, token: string): string {
  const name = 'x';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server: `${server.url}/k8s/clusters/${clusterId}`,
          'certificate-authority-data': Buffer.from(server.ca).toString('base64'),
        },
      },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}
