/** The cluster that a crowd's agents stand in: a real kube-apiserver with nodes and pods that nobody runs. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Resource, until } from '@drover/base';
import { KubeClient, namespaces, nodes, pods } from '@drover/kube';
import { startApiServer } from '../integration/kube-apiserver.ts';

export interface CrowdCluster extends AsyncDisposable {
  readonly kubeconfigPath: string;
  /** Of kube-system, by which agents tell which cluster they are in. */
  readonly uid: string;
  readonly nodeCount: number;
  readonly podCount: number;
  apply(manifest: string): Promise<void>;
}

const nodeCount = 3;
const podCount = 90;

export async function startCrowdCluster(): Promise<CrowdCluster> {
  // Hundreds of agents are more than one cluster is asked for in life, and it must not make them wait.
  const limits = ['--max-requests-inflight=0', '--max-mutating-requests-inflight=0'];
  const api = await startApiServer({ flags: ['--enable-priority-and-fairness=false', ...limits] });
  await using kube = new KubeClient(api.connection);
  await until('the default namespace', () => kube.get(namespaces, 'default').then(() => true));
  for (let i = 0; i < nodeCount; i++) await kube.create(nodes, nodeNamed(`node-${i}`));
  for (let i = 0; i < podCount; i++) await kube.create(pods, podNamed(`pod-${i}`, `node-${i % nodeCount}`));
  const { metadata } = await until('kube-system', () => kube.get<Resource>(namespaces, 'kube-system'));
  return {
    kubeconfigPath: api.kubeconfigPath,
    uid: metadata.uid!,
    nodeCount,
    podCount,
    async apply(manifest) {
      const path = join(api.dir, 'import.yaml');
      await writeFile(path, manifest);
      await promisify(execFile)(api.kubectl, ['--kubeconfig', api.kubeconfigPath, 'apply', '-f', path]);
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

function nodeNamed(name: string): Resource {
  const capacity = { cpu: '4', memory: '16Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    status: { capacity, allocatable: capacity },
  } as unknown as Resource;
}

function podNamed(name: string, nodeName: string): Resource {
  const container = (part: string) => ({
    name: part,
    image: `registry.example.com/${part}:1.2.3`,
    env: Array.from({ length: 20 }, (_, i) => ({ name: `SETTING_${i}`, value: `value-${i}` })),
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '500m', memory: '256Mi' } },
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: { nodeName, containers: [container('main'), container('sidecar')] },
  } as unknown as Resource;
}
