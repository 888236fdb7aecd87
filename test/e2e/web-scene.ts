/**
 * A cluster that looks like somebody's: a shop that runs, one workload that keeps crashing, a node that is gone, a job that failed, kinds
 * of one's own. Pages are looked at in it. What a kubelet and controllers would report is written; all of it is the same in each run but times.
 */
import { nodeSample, openMetrics, podSample } from './web-metrics.ts';
import {
  ago,
  api,
  cache,
  crashing,
  image,
  job,
  type Made,
  migrate,
  running,
  shipper,
  statuses,
  waiting,
  web0,
} from './web-workloads.ts';
import { pod, shop, type World } from './web-world.ts';

/** Applies it; answers with the cluster that is to be made of hosts and has none yet. */
export async function setScene(world: World): Promise<{ readonly hostsId: string }> {
  const [space, account, ...rest] = shop('shop', 2);
  await world.apply(space!, account!, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'payments' } });
  await openMetrics(world);
  await world.apply(...rest, ...sceneOf(), backups);
  await world.report(...statuses(world));
  await world.kubectl('wait', '--for=condition=Established', 'crd/backups.example.org', '--timeout=60s');
  await world.apply(
    ...['nightly', 'before-upgrade'].map((name, at) => ({
      apiVersion: 'example.org/v1',
      kind: 'Backup',
      metadata: { name, namespace: 'shop' },
      spec: { schedule: at === 0 ? '0 3 * * *' : 'once', keep: 7 },
    })),
    nodeSample('node-1', '1500m', '5Gi'),
    podSample({ namespace: 'shop', workload: 'web' }, '250m', '64Mi'),
    podSample({ namespace: 'payments', workload: 'api' }, '900m', '640Mi'),
  );
  for (const text of logLines) world.kubelet.log('web-0', text);
  const { server, admin } = world;
  const made = await server.ask(admin, 'POST', '/v3/clusters', {
    name: 'edge-berlin',
    rancherKubernetesEngineConfig: {},
  });
  await server.ask(admin, 'POST', '/v3/clusters', { name: 'staging' });
  await server.makeUser(admin, 'mia-miller');
  return { hostsId: made.id as string };
}

const logLines = [
  'INFO  listening on :8080',
  'INFO  GET /products 200 12ms',
  'WARN  slow query: 840 ms for select * from orders',
  'ERROR payment gateway: connection refused (10.0.0.12:443)',
  '{"level":"info","msg":"order placed","order":"A-1042","items":3}',
  'DEBUG cache hit ratio 0.93',
];

const service = (name: string, namespace: string): Made => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: {
    selector: { app: name },
    clusterIP: name === 'web' ? '10.0.0.20' : '10.0.0.21',
    ports: [{ name: 'http', port: 80, targetPort: 8080 }],
  },
});

const event = (name: string, on: Made, [reason, message]: readonly [string, string], minutes: number): object => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name, namespace: on.metadata.namespace ?? 'default' },
  involvedObject: {
    apiVersion: on.apiVersion,
    kind: on.kind,
    name: on.metadata.name,
    namespace: on.metadata.namespace,
  },
  reason,
  message,
  type: reason === 'Scheduled' || reason === 'Pulled' ? 'Normal' : 'Warning',
  count: 12,
  firstTimestamp: ago(minutes + 30),
  lastTimestamp: ago(minutes),
  source: { component: 'kubelet' },
});

function sceneOf(): readonly object[] {
  const apiPod = ({ metadata: { name, namespace } }: Made, nodeName?: string) =>
    pod(namespace!, name, { labels: { app: 'api' }, ...(nodeName ? { nodeName } : {}) });
  const at = { pathType: 'Prefix', path: '/', backend: { service: { name: 'web', port: { number: 80 } } } };
  return [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-2' } },
    api,
    cache,
    shipper,
    migrate,
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly-report', namespace: 'shop' },
      spec: { schedule: '0 3 * * *', suspend: true, jobTemplate: { spec: { template: { spec: job } } } },
    },
    apiPod(crashing, 'node-1'),
    apiPod(running, 'node-1'),
    apiPod(waiting),
    service('web', 'shop'),
    service('api', 'payments'),
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'shop', namespace: 'shop' },
      spec: { rules: [{ host: 'shop.example.org', http: { paths: [at] } }] },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: 'shop' },
      data: { currency: 'EUR', 'features.yaml': 'checkout: fast\nrecommendations: true\n' },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'orders', namespace: 'shop' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '20Gi' } } },
    },
    event('api.1', crashing, ['BackOff', 'Back-off restarting failed container api in pod api-6d5f7c9b4-x2x7q'], 30),
    event(
      'api.2',
      waiting,
      ['FailedScheduling', '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unreachable.'],
      32,
    ),
    event('api.3', running, ['Pulled', `Container image "${image('api')}" already present on machine`], 34),
    event('web.1', web0, ['Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503'], 36),
  ];
}

const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        schedule: { type: 'string', description: 'When it is taken: five fields, or "once".' },
        keep: { type: 'integer', description: 'How many are kept.' },
      },
    },
  },
};

const backups = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'backups.example.org' },
  spec: {
    group: 'example.org',
    scope: 'Namespaced',
    names: { kind: 'Backup', plural: 'backups', singular: 'backup' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        additionalPrinterColumns: [
          { name: 'Schedule', type: 'string', jsonPath: '.spec.schedule' },
          { name: 'Keep', type: 'integer', jsonPath: '.spec.keep' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
      },
    ],
  },
};
