/**
 * A real cluster (etcd and kube-apiserver, with the controllers that roles and namespaces need) imported into a hub as anybody would: its
 * manifest applied, our agent in front of it.
 */
import { join } from 'node:path';
import { type Resource, until } from '@drover/base';
import { applyManifest, KubeClient, parseManifest, subjectAccessReviews } from '@drover/kube';
import { Agent, request } from 'undici';
import { type Child, startChild } from './child.ts';
import { type Hub, startAgent } from './hub.ts';
import { startApiServer, type TestApiServer } from './kube-apiserver.ts';
import { findKubeBinaries, missingKubeBinaries } from './kube-binaries.ts';

/** Why it can't be had here; undefined where it can. */
export const missingImportable = (): string | undefined =>
  missingKubeBinaries('etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl');

export interface Asking {
  readonly user: string;
  readonly groups?: readonly string[];
}

export interface ImportedCluster extends AsyncDisposable {
  readonly id: string;
  readonly api: TestApiServer;
  /** As `system:masters`, past the hub. */
  readonly kube: KubeClient;
  /** What the cluster itself says of this one. */
  allows(who: Asking, what: object): Promise<boolean>;
  stopAgent(): Promise<void>;
  startAgent(): Promise<void>;
}

/** `controllers` runs those that fill aggregated roles and end namespaces. */
export async function importCluster(
  hub: Hub,
  name: string,
  options: { readonly controllers?: boolean; readonly before?: (id: string) => Promise<void> } = {},
): Promise<ImportedCluster> {
  await using undo = new AsyncDisposableStack();
  const api = undo.use(await startApiServer());
  const kube = undo.use(new KubeClient(api.connection));
  if (options.controllers) undo.use(await startControllerManager(api));
  const { id, token } = await hub.makeCluster(name);
  await options.before?.(id);
  const dispatcher = new Agent({ connect: { ca: hub.ca.cert } });
  const { body } = await request(`${hub.url}/v3/import/${token}_${id}.yaml`, { dispatcher });
  await applyManifest(kube, await parseManifest(await body.text()), { fieldManager: 'test' });
  await dispatcher.close();
  let agent: Child | undefined;
  const start = async () => {
    agent = await startAgent(hub, { token, kubeconfigPath: api.kubeconfigPath });
    await until('the agent to be there', () => hub.clusters.tunnels.has(id), { timeoutMs: 60_000 });
  };
  undo.defer(() => agent?.[Symbol.asyncDispose]());
  await start();
  const all = undo.move();
  return {
    id,
    api,
    kube,
    async allows({ user, groups = [] }, what) {
      const { apiVersion, kind } = subjectAccessReviews;
      const spec = { user, groups: [...groups, 'system:authenticated', 'system:cattle:authenticated'], ...what };
      const body = { apiVersion, kind, spec };
      const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
      return (await kube.request<{ status: { allowed: boolean } }>('POST', path, { body })).status.allowed;
    },
    async stopAgent() {
      await agent?.[Symbol.asyncDispose]();
      await until('the agent to be away', () => !hub.clusters.tunnels.has(id), { timeoutMs: 60_000 });
    },
    startAgent: start,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function startControllerManager({ dir, kubeconfigPath }: TestApiServer): Promise<Child> {
  const bin = findKubeBinaries('kube-controller-manager')!;
  const args = [
    `--kubeconfig=${kubeconfigPath}`,
    '--controllers=clusterrole-aggregation-controller,namespace-controller,serviceaccount-controller',
    '--leader-elect=false',
    '--secure-port=0',
    `--service-account-private-key-file=${join(dir, 'service-account.key')}`,
  ];
  return startChild(join(bin, 'kube-controller-manager'), args, { logPath: join(dir, 'controllers.log') });
}

export const namespace = (name: string, projectId?: string): Resource => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...(projectId ? { annotations: { 'field.cattle.io/projectId': projectId } } : {}) },
});
