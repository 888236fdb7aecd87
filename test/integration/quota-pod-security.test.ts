/** Templates of pod security in a real cluster: its own admission refuses what the template does, also in namespaces to come. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasReason, type Resource, until } from '@drover/base';
import { KubeClient, namespaces, pods } from '@drover/kube';
import { type ServerProcess, startServer } from '../server-process.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;
const field = 'defaultPodSecurityAdmissionConfigurationTemplateName';
const enforce = 'pod-security.kubernetes.io/enforce';
const slow = { timeoutMs: 60_000 };
let cluster: TestApiServer;
let server: ServerProcess;
let kube: KubeClient;
let admin: string;
let id: string;

before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  kube = new KubeClient(cluster.connection);
  server = await startServer({ args: ['--cluster', 'context:test'], env: { KUBECONFIG: cluster.kubeconfigPath } });
  admin = await server.login();
  id = await until(
    'the cluster to be active',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
      return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
    },
    slow,
  );
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const make = (name: string, labels: Record<string, string> = {}) =>
  kube.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
const enforcedIn = async (name: string) => (await kube.get(namespaces, name)).metadata.labels?.[enforce];
const use = (template: string) => server.ask(admin, 'PUT', `/v3/clusters/${id}`, { [field]: template });

function privileged(namespace: string): Resource {
  const containers = [{ name: 'main', image: 'none.invalid/none', securityContext: { privileged: true } }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'strong', namespace }, spec: { containers } } as Resource;
}

test('a template holds in every namespace but the exempt and those that say otherwise, until it is taken away', {
  skip,
  timeout: 180_000,
}, async () => {
  await make('before');
  await make('own', { [enforce]: 'baseline' });
  await make('longhorn-system');
  await use('rancher-restricted');
  await until('the label', async () => (await enforcedIn('before')) === 'restricted', slow);
  await make('later');
  await until('the label of the new one', async () => (await enforcedIn('later')) === 'restricted', slow);
  assert.deepEqual(
    [await enforcedIn('own'), await enforcedIn('longhorn-system'), await enforcedIn('kube-system')],
    ['baseline', undefined, undefined],
  );
  await assert.rejects(
    kube.create(pods, privileged('later')),
    error => hasReason(error, 'Forbidden') && /violates PodSecurity "restricted:latest"/.test(error.message),
  );
  await kube.create(pods, privileged('longhorn-system'));

  const path = '/v3/podsecurityadmissionconfigurationtemplates/rancher-restricted';
  await server.ask(admin, 'PUT', path, { configuration: { defaults: { enforce: 'baseline' } } });
  await until('the changed template', async () => (await enforcedIn('later')) === 'baseline', slow);
  await kube.patch(namespaces, 'later', { metadata: { labels: { [enforce]: null } } }, { type: 'merge' });
  await until('the label to be put back', async () => (await enforcedIn('later')) === 'baseline', slow);
  await use('');
  await until('the labels to be gone', async () => (await enforcedIn('later')) === undefined, slow);
  await until('all to be gone', async () => (await enforcedIn('before')) === undefined, slow);
  assert.equal(await enforcedIn('own'), 'baseline');
});

test('who may change a namespace may not say which pods run in it', { skip, timeout: 120_000 }, async () => {
  const project = await server.ask(admin, 'POST', '/v3/projects', { name: 'shop', clusterId: id });
  const namespace = { name: 'shop', projectId: project.id };
  await server.ask(admin, 'POST', `/v3/cluster/${id}/namespaces`, namespace);
  const role = await server.ask(admin, 'POST', '/v3/roletemplates', {
    name: 'changes namespaces',
    context: 'project',
    rules: [
      { apiGroups: [''], resources: ['namespaces'], verbs: ['*'] },
      { apiGroups: ['management.cattle.io'], resources: ['projects'], verbs: ['get', 'update'] },
    ],
  });
  const user = await server.makeUser(admin, 'editor');
  const binding = { projectId: project.id, roleTemplateId: role.id, userId: user.id };
  await server.ask(admin, 'POST', '/v3/projectroletemplatebindings', binding);
  const path = `/v3/cluster/${id}/namespaces/shop`;
  const seen = await until(
    'the namespace to be his',
    async () => {
      const answer = await server.fetch('GET', path, { token: user.token });
      return answer.status === 200 ? answer.body : undefined;
    },
    slow,
  );
  const labels = { ...seen.labels, [enforce]: 'privileged' };
  const refused = await server.fetch('PUT', path, { token: user.token, body: { labels } });
  assert.equal(refused.status, 403);
  assert.match(refused.body.message, /updatepsa/);
  assert.equal(await enforcedIn('shop'), undefined);
  await server.ask(admin, 'PUT', path, { labels });
  assert.equal(await enforcedIn('shop'), 'privileged');
});
