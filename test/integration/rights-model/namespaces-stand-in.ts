/**
 * Stands in for the kube-apiservers of clusters, as far as namespaces are read and patched there: it refuses nobody, so that what is refused
 * was refused by the server. What real clusters say is tested with real ones.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { TestApiOptions } from '../../../packages/server/src/api/fixture.ts';

type Upstreams = NonNullable<TestApiOptions['upstreams']>;
type Maps = Readonly<Record<'labels' | 'annotations', Readonly<Record<string, string | null>>>>;

export interface NamespacesStandIn extends AsyncDisposable {
  readonly upstreams: Upstreams;
  put(cluster: string, name: string, projectId: string | undefined): void;
  projectOf(cluster: string, name: string): string | undefined;
}

const projectKey = 'field.cattle.io/projectId';

export async function startNamespaces(): Promise<NamespacesStandIn> {
  const all = new Map<string, Record<string, string | null>>();
  const server = createServer(async (request, response) => {
    const [, cluster, name] = /^\/(.+)\/api\/v1\/namespaces\/([^/?]+)/.exec(request.url ?? '') ?? [];
    const annotations = all.get(`${cluster} ${name}`);
    if (annotations && request.method === 'PATCH') {
      const patch = (await json(request)) as { metadata: Partial<Maps> };
      Object.assign(annotations, patch.metadata.annotations);
    }
    const given = Object.fromEntries(Object.entries(annotations ?? {}).filter(([, value]) => value !== null));
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, annotations: given } };
    const missing = { apiVersion: 'v1', kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 };
    response.writeHead(annotations ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(annotations ? namespace : missing));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const originOf = (cluster: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${cluster}`;
  const ways = new Map<string, ReturnType<Upstreams['get']>>();
  return {
    upstreams: {
      get(clusterId) {
        let way = ways.get(clusterId);
        if (!way) ways.set(clusterId, (way = { clusterId, kind: 'agent', origin: originOf(clusterId) }));
        return way;
      },
      connection: clusterId => ({ server: originOf(clusterId) }),
      subscribe: () => undefined,
    },
    put: (cluster, name, projectId) => void all.set(`${cluster} ${name}`, projectId ? { [projectKey]: projectId } : {}),
    projectOf: (cluster, name) => all.get(`${cluster} ${name}`)?.[projectKey] ?? undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
