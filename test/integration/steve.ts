/** For tests of `/v1`: a real kube-apiserver behind a real agent and server, an owner of the cluster, a member with little, and a stranger. */
import { type Resource, until } from '@drover/base';
import { KubeClient } from '@drover/kube';
import { type ServerProcess, startServer, type V3Answer } from '../server-process.ts';
import { startApiServer, type TestApiServer } from './kube-apiserver.ts';

export interface TestSteve extends AsyncDisposable {
  readonly cluster: TestApiServer;
  readonly server: ServerProcess;
  /** As system:masters, straight to the cluster. */
  readonly kube: KubeClient;
  readonly id: string;
  readonly admin: string;
  readonly owner: Person;
  /** A member whose rights in the cluster are what a test gives him there. */
  readonly member: Person;
  readonly stranger: Person;
  /** Below the cluster's `/v1`. */
  get(person: { readonly token: string }, path: string, headers?: Record<string, string>): Promise<V3Answer>;
  apply(...resources: Resource[]): Promise<void>;
}

export interface Person {
  readonly id: string;
  readonly token: string;
}

/** A bare role of the server: whoever is bound by it is a member and has no rights from it. */
const nothing = { name: 'nothing', context: 'cluster', rules: [] };

export async function startSteve(): Promise<TestSteve> {
  await using started = new AsyncDisposableStack();
  const cluster = started.use(await startApiServer());
  const kube = started.use(new KubeClient(cluster.connection));
  const server = started.use(
    await startServer({ args: ['--cluster', 'context:test'], env: { KUBECONFIG: cluster.kubeconfigPath } }),
  );
  const admin = await server.login();
  const id = await until(
    'the cluster to be active',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
      return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
    },
    { timeoutMs: 90_000 },
  );
  const [owner, member, stranger] = [
    await server.makeUser(admin, 'owner'),
    await server.makeUser(admin, 'member'),
    await server.makeUser(admin, 'stranger'),
  ];
  const template = await server.ask(admin, 'POST', '/v3/roletemplates', nothing);
  const bind = (roleTemplateId: string, userId: string) =>
    server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', { clusterId: id, roleTemplateId, userId });
  await bind('cluster-owner', owner.id);
  await bind(template.id, member.id);
  const get: TestSteve['get'] = (person, path, headers) =>
    server.fetch('GET', `/k8s/clusters/${id}/v1${path}`, { token: person.token, headers });
  await until('the owner’s rights in the cluster', async () => (await get(owner, '/namespaces')).status === 200, {
    timeoutMs: 60_000,
  }).catch(async error => {
    const { status, body } = await get(owner, '/namespaces');
    throw new Error(`${error.message}: ${status} ${JSON.stringify(body)}\n${server.output.slice(-3000)}`);
  });
  const all = started.move();
  return {
    cluster,
    server,
    kube,
    id,
    admin,
    owner,
    member,
    stranger,
    get,
    async apply(...resources) {
      for (const resource of resources) await kube.apply(resource, { fieldManager: 'test', force: true });
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
