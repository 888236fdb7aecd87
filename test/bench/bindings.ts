/**
 * What bindings cost: API and proxy at 10, 1,000 and 100,000 of them, how fast they are made, how soon a member of 722 projects has what
 * he was given, how soon a change holds on the server and in the cluster, and sign-ins.
 */
import { type Resource, until } from '@drover/base';
import { configMaps, KubeClient, namespaces, roleBindings } from '@drover/kube';
import { missingApiServer, startApiServer } from '../integration/kube-apiserver.ts';
import { adminPassword, type ServerProcess, startServer } from '../server-process.ts';
import { inParallel } from './in-parallel.ts';
import { compareLoads, type Way } from './load.ts';
import { lower, type Row } from './row.ts';

export const missing = missingApiServer;

const patient = { timeoutMs: 600_000, everyMs: 20 };
const projectKey = 'field.cattle.io/projectId';
const password = 'a-password-for-benching';

interface Bench {
  readonly server: ServerProcess;
  readonly kube: KubeClient;
  readonly admin: string;
  readonly cluster: string;
  readonly project: string;
  readonly member: { readonly id: string; readonly token: string };
}

export async function run({ quick }: { readonly quick: boolean }): Promise<Row[]> {
  await using api = await startApiServer();
  await using kube = new KubeClient(api.connection);
  await using server = await startServer({
    args: ['--cluster', 'context:test'],
    env: { KUBECONFIG: api.kubeconfigPath },
  });
  const bench = await prepare(server, kube);
  const rows: Row[] = [];
  const counts = quick ? [10, 1000, 5000] : [10, 1000, 100_000];
  const seen: Latencies[] = [];
  let made = 0;
  for (const count of counts) {
    const perSecond = await makeBindings(bench, made, count);
    if (count > 1000)
      rows.push({ ...lower(`bindings made through the API, to ${count}`, perSecond, '/s'), higherIsBetter: true });
    made = count;
    await settled(bench);
    seen.push(await latencies(bench, quick));
  }
  for (const path of Object.keys(seen[0]!))
    for (const [index, count] of counts.entries()) {
      const first = index === 0 ? undefined : seen[0]![path];
      rows.push({ ...lower(`${path} at ${count} bindings, p50`, seen[index]![path]!, 'ms'), peer: first });
    }
  rows.push(await signIns(server, quick ? 16 : 64));
  rows.push(...(await changes(bench, quick ? 3 : 15)));
  rows.push(...(await manyProjects(bench, quick ? 100 : 722, quick)));
  return rows;
}

async function prepare(server: ServerProcess, kube: KubeClient): Promise<Bench> {
  const admin = await server.login();
  const cluster = await until(
    'the cluster to be active',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
      return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
    },
    patient,
  );
  const { id: project } = await server.ask(admin, 'POST', '/v3/projects', { name: 'shop', clusterId: cluster });
  const member = await makeMember(server, admin, 'member');
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
  const role = await server.ask(admin, 'POST', '/v3/roletemplates', { name: 'reader', context: 'project', rules });
  await server.ask(admin, 'POST', '/v3/projectroletemplatebindings', {
    projectId: project,
    roleTemplateId: role.id,
    userId: member.id,
  });
  await makeNamespace(kube, 'shop', project);
  await kube.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace: 'shop' } });
  const bench = { server, kube, admin, cluster, project, member };
  await until('the member to read', async () => (await readThrough(bench, member.token)) === 200 || undefined, patient);
  return bench;
}

const makeNamespace = (kube: KubeClient, name: string, projectId: string) =>
  kube.create<Resource>(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, annotations: { [projectKey]: projectId } },
  });

async function makeMember(server: ServerProcess, admin: string, username: string) {
  const { id } = await server.ask(admin, 'POST', '/v3/users', { username, password });
  await server.ask(admin, 'POST', '/v3/globalrolebindings', { globalRoleId: 'user', userId: id });
  const body = { username, password, responseType: 'json' };
  const answer = await server.fetch('POST', '/v3-public/localProviders/local?action=login', { body });
  return { id: id as string, token: answer.body.token as string };
}

const throughPath = (cluster: string) => `/k8s/clusters/${cluster}/api/v1/namespaces/shop/configmaps/one`;

const readThrough = async ({ server, cluster }: Bench, token: string): Promise<number> =>
  (await server.fetch('GET', throughPath(cluster), { token })).status;

/** Spread over users and projects of a cluster that is not there: what they cost here is the question, not what a kube-apiserver does with them. */
const spread = { users: 100, projects: 50 };
const other = { cluster: '', projects: [] as string[], users: [] as string[] };

async function makeBindings({ server, admin }: Bench, from: number, to: number): Promise<number> {
  if (other.cluster === '') {
    other.cluster = (await server.ask(admin, 'POST', '/v3/clusters', { name: 'elsewhere' })).id;
    for (let i = 0; i < spread.projects; i++)
      other.projects.push(
        (await server.ask(admin, 'POST', '/v3/projects', { name: `p-${i}`, clusterId: other.cluster })).id,
      );
    await inParallel(spread.users, async index => {
      const body = { username: `user-${index}`, password };
      other.users.push((await server.ask(admin, 'POST', '/v3/users', body)).id);
    });
  }
  const started = performance.now();
  await inParallel(to - from, async index => {
    const at = from + index;
    await server.ask(admin, 'POST', '/v3/projectroletemplatebindings', {
      projectId: other.projects[at % spread.projects]!,
      roleTemplateId: at % 2 ? 'project-member' : 'read-only',
      userId: other.users[Math.floor(at / spread.projects) % spread.users]!,
    });
  });
  return ((to - from) * 1000) / (performance.now() - started);
}

/** Until a change of somebody's rights is in the cluster again as soon as ever: whatever ran behind the others is done. */
async function settled(bench: Bench): Promise<void> {
  const { server, admin, cluster } = bench;
  const probe = await makeMember(server, admin, `probe-${Date.now()}`);
  const body = { clusterId: cluster, roleTemplateId: 'cluster-owner', userId: probe.id };
  await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', body);
  await until('the change to hold', async () => (await readThrough(bench, probe.token)) === 200 || undefined, patient);
}

type Latencies = Record<string, number>;

async function latencies({ server, cluster, member }: Bench, quick: boolean): Promise<Latencies> {
  const headers = { authorization: `Bearer ${member.token}`, accept: 'application/json' };
  const way: Way = { origin: server.url, path: '', headers, tls: { ca: server.ca }, pids: [server.child.pid!] };
  const out: Latencies = {};
  const paths = {
    'GET /v3/projects': '/v3/projects',
    'GET /v3/clusters/ID': `/v3/clusters/${cluster}`,
    'proxied GET': throughPath(cluster),
  };
  for (const [name, path] of Object.entries(paths)) {
    const [got] = await compareLoads([way], { path, connections: 1, seconds: quick ? 1 : 3, rounds: quick ? 1 : 3 });
    out[name] = got!.p50;
  }
  return out;
}

async function signIns(server: ServerProcess, count: number): Promise<Row> {
  const started = performance.now();
  const body = { username: 'admin', password: adminPassword, responseType: 'json' };
  await inParallel(
    count,
    async () => {
      const { status } = await server.fetch('POST', '/v3-public/localProviders/local?action=login', { body });
      if (status !== 201) throw new Error(`sign-in answered ${status}`);
    },
    8,
  );
  return {
    ...lower('sign-ins with a password', (count * 1000) / (performance.now() - started), '/s'),
    higherIsBetter: true,
  };
}

/** From a grant and its end, until they hold: on the server, and in the cluster. */
async function changes(bench: Bench, rounds: number): Promise<Row[]> {
  const { server, admin, cluster } = bench;
  const user = await makeMember(server, admin, 'changing');
  const seen = {
    given: [] as number[],
    inCluster: [] as number[],
    taken: [] as number[],
    outOfCluster: [] as number[],
  };
  const seesCluster = async () => (await server.fetch('GET', `/v3/clusters/${cluster}`, { token: user.token })).status;
  const since = async (list: number[], what: string, holds: () => Promise<boolean>, from: number) => {
    await until(what, async () => (await holds()) || undefined, { ...patient, everyMs: 1 });
    list.push(performance.now() - from);
  };
  const there = async () => {
    const spec = { user: user.id, resourceAttributes: { verb: 'get', resource: 'secrets', namespace: 'shop' } };
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    const answer = await bench.kube.request<{ status: { allowed: boolean } }>(
      'POST',
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      { body: Buffer.from(JSON.stringify(review)), contentType: 'application/json' },
    );
    return answer.status.allowed;
  };
  for (let round = 0; round < rounds; round++) {
    const body = { clusterId: cluster, roleTemplateId: 'cluster-owner', userId: user.id };
    const begun = performance.now();
    const { id } = await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', body);
    await since(seen.given, 'the grant on the server', async () => (await seesCluster()) === 200, begun);
    await since(seen.inCluster, 'the grant in the cluster', there, begun);
    const ended = performance.now();
    await server.fetch('DELETE', `/v3/clusterroletemplatebindings/${id}`, { token: admin });
    await since(seen.taken, 'its end on the server', async () => (await seesCluster()) === 404, ended);
    await since(seen.outOfCluster, 'its end in the cluster', async () => !(await there()), ended);
  }
  const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1]!;
  return [
    lower('a grant holds on the server after', median(seen.given), 'ms'),
    lower('a grant holds in the cluster after', median(seen.inCluster), 'ms'),
    lower('its end holds on the server after', median(seen.taken), 'ms'),
    lower('its end holds in the cluster after', median(seen.outOfCluster), 'ms'),
  ];
}

/** One user in very many projects, each with a namespace: until all is in the cluster, and what his requests take then. */
async function manyProjects(bench: Bench, count: number, quick: boolean): Promise<Row[]> {
  const { server, admin, cluster, kube } = bench;
  const user = await makeMember(server, admin, 'everywhere');
  const before = await latencies({ ...bench, member: bench.member }, quick);
  const ids: string[] = [];
  await inParallel(count, async index => {
    const { id } = await server.ask(admin, 'POST', '/v3/projects', { name: `many-${index}`, clusterId: cluster });
    await makeNamespace(kube, `many-${index}`, id);
    ids.push(id);
  });
  const started = performance.now();
  await inParallel(count, async index => {
    const body = { projectId: ids[index]!, roleTemplateId: 'read-only', userId: user.id };
    await server.ask(admin, 'POST', '/v3/projectroletemplatebindings', body);
  });
  const madeMs = performance.now() - started;
  const mine = ({ subjects }: { subjects?: readonly { name: string }[] }) => subjects?.[0]?.name === user.id;
  await until(
    'all of them in the cluster',
    async () => {
      let there = new Set<string | undefined>();
      for await (const one of kube.listAll<Resource & { subjects?: readonly { name: string }[] }>(roleBindings))
        if (mine(one)) there = there.add(one.metadata.namespace);
      return there.size === count || undefined;
    },
    { ...patient, everyMs: 100 },
  );
  const settledMs = performance.now() - started - madeMs;
  await server.ask(admin, 'POST', '/v3/projectroletemplatebindings', {
    projectId: bench.project,
    roleTemplateId: (await server.ask(admin, 'GET', '/v3/roletemplates?name=reader')).data[0].id,
    userId: user.id,
  });
  await until('him to read', async () => (await readThrough(bench, user.token)) === 200 || undefined, patient);
  const after = await latencies({ ...bench, member: user }, quick);
  return [
    { ...lower(`${count} bindings in projects for one user`, (count * 1000) / madeMs, '/s'), higherIsBetter: true },
    lower('all of them in the cluster, after the last', settledMs, 'ms'),
    ...Object.keys(after).map(path => ({
      ...lower(`${path} by him, p50 (beside who is in one project)`, after[path]!, 'ms'),
      peer: before[path]!,
    })),
  ];
}
