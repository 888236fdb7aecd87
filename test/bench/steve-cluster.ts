/**
 * As much of a kube-apiserver as lists of `/v1` need: discovery, roles that let everybody list, and as many objects as the bench wants.
 * Filling a real one with a hundred thousand takes minutes, and it is not what is measured.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface BenchCluster extends AsyncDisposable {
  readonly origin: string;
}

const group = 'rbac.authorization.k8s.io';
const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
const columns = ['Name', 'Data', 'Age'].map(name => ({
  name,
  type: 'string',
  format: '',
  description: '',
  priority: 0,
}));

/** `bytes` is about what one object weighs. */
export async function startBenchCluster({
  objects,
  bytes,
}: {
  readonly objects: number;
  readonly bytes: number;
}): Promise<BenchCluster> {
  const payload = 'x'.repeat(Math.max(0, bytes - 450));
  const object = (index: number) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `object-${(index * 7919) % objects}`,
      namespace: `namespace-${index % 100}`,
      uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      resourceVersion: String(index + 1),
      creationTimestamp: new Date(1.7e12 + index * 1000).toISOString(),
      labels: { app: `app-${index % 37}` },
    },
    data: { payload },
  });
  const revision = String(objects + 1);
  const list = (items: unknown[]) => ({
    kind: 'List',
    apiVersion: 'v1',
    metadata: { resourceVersion: revision },
    items,
  });
  const binding = {
    roleRef: { kind: 'ClusterRole', name: 'all' },
    subjects: [{ kind: 'Group', name: 'system:authenticated' }],
  };
  const resource = (name: string, kind: string, scope = 'Namespaced') => ({
    resource: name,
    responseKind: { kind },
    scope,
    verbs: ['list', 'watch', 'get'],
  });
  const discovery = (name: string, resources: unknown[]) => ({
    kind: 'APIGroupDiscoveryList',
    items: [{ metadata: { name }, versions: [{ version: 'v1', resources }] }],
  });
  const bodies: Readonly<Record<string, unknown>> = {
    '/api': discovery('', [resource('configmaps', 'ConfigMap'), resource('namespaces', 'Namespace', 'Cluster')]),
    '/apis': discovery(group, []),
    [`/apis/${group}/v1/clusterroles`]: list([
      { metadata: { name: 'all', resourceVersion: '1' }, rules: [everything] },
    ]),
    [`/apis/${group}/v1/clusterrolebindings`]: list([{ metadata: { name: 'all', resourceVersion: '1' }, ...binding }]),
    [`/apis/${group}/v1/roles`]: list([]),
    [`/apis/${group}/v1/rolebindings`]: list([]),
    '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews': {
      status: { incomplete: false, resourceRules: [everything] },
    },
  };
  const page = (query: URLSearchParams) => {
    const [from, limit] = [Number(query.get('continue') ?? 0), Number(query.get('limit') ?? objects)];
    const to = Math.min(objects, from + limit);
    const rows = Array.from({ length: to - from }, (_, index) => {
      const one = object(from + index);
      return { cells: [one.metadata.name, 1, '5m'], object: one };
    });
    const metadata = { resourceVersion: revision, ...(to < objects ? { continue: String(to) } : {}) };
    return { kind: 'Table', columnDefinitions: columns, metadata, rows };
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://cluster');
    response.setHeader('content-type', 'application/json');
    if (searchParams.get('watch') === 'true') {
      response.flushHeaders();
      return;
    }
    const body = pathname === '/api/v1/configmaps' ? page(searchParams) : bodies[pathname];
    request.resume().on('end', () => response.writeHead(body ? 200 : 404).end(JSON.stringify(body ?? {})));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>(resolve => server.close(() => resolve()));
    },
  };
}
