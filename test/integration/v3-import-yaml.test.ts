/** importYaml in a real kube-apiserver: applied as the caller, into the project and namespace asked for, and nowhere else. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ignoreNotFound, until } from '@drover/base';
import { configMaps, KubeClient, namespaces } from '@drover/kube';
import { type ServerProcess, startServer } from '../server-process.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;
const password = 'a password long enough';
let cluster: TestApiServer;
let server: ServerProcess;
let kube: KubeClient;
let admin: string;
let reader: string;
let action: string;
let project: string;

before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  kube = new KubeClient(cluster.connection);
  server = await startServer({ args: ['--cluster', 'context:test'], env: { KUBECONFIG: cluster.kubeconfigPath } });
  admin = await server.login();
  const id = await until(
    'the cluster to be active',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
      if (data[0]?.state !== 'active') return undefined;
      // His rights in it come a moment after.
      const { status } = await server.fetch('GET', `/k8s/clusters/${data[0].id}/api/v1/nodes`, { token: admin });
      return status === 200 ? (data[0].id as string) : undefined;
    },
    { timeoutMs: 60_000 },
  );
  action = (await server.ask(admin, 'GET', `/v3/clusters/${id}`)).actions.importYaml.slice(server.url.length);
  project = (await server.ask(admin, 'POST', '/v3/projects', { name: 'apps', clusterId: id })).id;
  const user = await server.ask(admin, 'POST', '/v3/users', { username: 'reader', password });
  await server.ask(admin, 'POST', '/v3/globalrolebindings', { globalRoleId: 'user', userId: user.id });
  const binding = { clusterId: id, roleTemplateId: 'cluster-member', userId: user.id };
  await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', binding);
  reader = await server.login('reader', password);
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const configMap = (name: string, more = '') => `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}${more} }
data: { a: b }
`;
const inNamespace = (name: string, namespace: string) => ignoreNotFound(kube.get(configMaps, name, { namespace }));

test('a manifest goes into the namespace asked for, which is made in the project', { skip }, async () => {
  const body = { yaml: [configMap('one'), configMap('two')].join('---'), namespace: 'web', projectId: project };
  const first = await server.ask(admin, 'POST', action, body, 200);
  assert.deepEqual([first.type, first.message], ['importYamlOutput', 'configmap/one created\nconfigmap/two created']);
  const made = await kube.get(namespaces, 'web');
  assert.equal(made.metadata.annotations?.['field.cattle.io/projectId'], project);
  assert.ok(await inNamespace('two', 'web'));
  const again = await server.ask(admin, 'POST', action, body, 200);
  assert.equal(again.message, 'configmap/one unchanged\nconfigmap/two unchanged');
});

test('without one it goes to the default given, or to default, and what names its own stays there', {
  skip,
}, async () => {
  const yaml = [configMap('plain'), configMap('own', ', namespace: kube-public')].join('---');
  await server.ask(admin, 'POST', action, { yaml, defaultNamespace: 'web' }, 200);
  assert.ok((await inNamespace('plain', 'web')) && (await inNamespace('own', 'kube-public')));
  await server.ask(admin, 'POST', action, { yaml: configMap('plain') }, 200);
  assert.ok(await inNamespace('plain', 'default'));
});

test('a namespace of the manifest begins in the project, but one that is there stays', { skip }, async () => {
  const yaml = ['web2', 'kube-public'].map(name => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`);
  const before = (await kube.get(namespaces, 'kube-public')).metadata.annotations?.['field.cattle.io/projectId'];
  await server.ask(admin, 'POST', action, { yaml: yaml.join('---\n'), projectId: project }, 200);
  const of = async (name: string) =>
    (await kube.get(namespaces, name)).metadata.annotations?.['field.cattle.io/projectId'];
  assert.equal(await of('web2'), project);
  assert.notEqual(await of('kube-public'), project);
  assert.ok(before === undefined || (await of('kube-public')) === before);
});

test('what is no manifest is refused with its field, before anything is applied', { skip }, async () => {
  const deep = `a: ${'['.repeat(200_000)}`;
  const bad: readonly [object, number, string, string][] = [
    [{}, 422, 'MissingRequired', 'yaml'],
    [{ yaml: 1 }, 422, 'InvalidFormat', 'yaml'],
    [{ yaml: '# nothing' }, 422, 'InvalidBodyContent', 'yaml'],
    [{ yaml: deep }, 422, 'InvalidBodyContent', 'yaml'],
    [{ yaml: configMap('many').concat('---').repeat(501) }, 422, 'InvalidBodyContent', 'yaml'],
    [{ yaml: configMap('x', ', namespace: other'), namespace: 'web' }, 422, 'InvalidOption', 'namespace'],
  ];
  for (const [body, status, code, field] of bad) {
    const answer = await server.fetch('POST', action, { token: admin, body });
    const shown = JSON.stringify(body).slice(0, 80);
    assert.deepEqual([answer.status, answer.body.code, answer.body.fieldName], [status, code, field], shown);
  }
  assert.equal(await inNamespace('many', 'default'), undefined);
});

test('it is the caller who applies: what he may not do in the cluster is refused there', { skip }, async () => {
  const refused = await server.fetch('POST', action, { token: reader, body: { yaml: configMap('forged') } });
  assert.equal(refused.status, 403, JSON.stringify(refused.body));
  assert.match(refused.body.message, /ConfigMap forged/);
  assert.equal(await inNamespace('forged', 'default'), undefined);
  const intoProject = { yaml: configMap('x'), namespace: 'stolen', projectId: project };
  const stolen = await server.fetch('POST', action, { token: reader, body: intoProject });
  assert.ok([403, 404].includes(stolen.status), JSON.stringify(stolen.body));
  assert.equal(await ignoreNotFound(kube.get(namespaces, 'stolen')), undefined);
});
