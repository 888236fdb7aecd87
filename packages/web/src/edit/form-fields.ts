/** Which fields the form of a kind has: where each stands in the object, and how it is entered. Whatever has none is edited as YAML. */
import type { Kind } from '../net/kinds.ts';
import type { FieldPath } from './document-fields.ts';

export type Field =
  | { readonly name: string; readonly path: FieldPath; readonly as: 'text' | 'number' }
  | { readonly name: string; readonly path: FieldPath; readonly as: 'choice'; readonly choices: readonly string[] }
  | { readonly name: string; readonly path: FieldPath; readonly as: 'map' }
  | {
      readonly name: string;
      readonly path: FieldPath;
      readonly as: 'list';
      /** Paths within an item. */
      readonly fields: readonly Field[];
      readonly fresh: unknown;
    };

const text = (name: string, ...path: FieldPath): Field => ({ name, path, as: 'text' });
const number = (name: string, ...path: FieldPath): Field => ({ name, path, as: 'number' });
const choice = (name: string, path: FieldPath, choices: readonly string[]): Field => ({
  name,
  path,
  as: 'choice',
  choices,
});
const map = (name: string, ...path: FieldPath): Field => ({ name, path, as: 'map' });
const list = (name: string, path: FieldPath, fields: readonly Field[], fresh: unknown): Field => ({
  name,
  path,
  as: 'list',
  fields,
  fresh,
});

const labels = map('labels', 'metadata', 'labels');

const container: readonly Field[] = [
  text('name', 'name'),
  text('image', 'image'),
  choice('pullPolicy', ['imagePullPolicy'], ['IfNotPresent', 'Always', 'Never']),
  text('cpuRequest', 'resources', 'requests', 'cpu'),
  text('memoryRequest', 'resources', 'requests', 'memory'),
  text('cpuLimit', 'resources', 'limits', 'cpu'),
  text('memoryLimit', 'resources', 'limits', 'memory'),
  list('ports', ['ports'], [number('port', 'containerPort'), text('name', 'name')], { containerPort: 80 }),
  list('env', ['env'], [text('name', 'name'), text('value', 'value')], { name: 'NAME', value: '' }),
];

const containers = (...path: FieldPath): Field =>
  list('containers', [...path, 'containers'], container, { name: 'container', image: '' });

const template: readonly Field[] = [
  containers('spec', 'template', 'spec'),
  text('serviceAccount', 'spec', 'template', 'spec', 'serviceAccountName'),
  map('nodeSelector', 'spec', 'template', 'spec', 'nodeSelector'),
];

/** What only a new object can be given. */
export const identity = ({ namespaced }: Pick<Kind, 'namespaced'>): readonly Field[] => [
  text('name', 'metadata', 'name'),
  ...(namespaced ? [text('namespace', 'metadata', 'namespace')] : []),
];

/** By the kind's plural. */
export const forms: Readonly<Record<string, readonly Field[]>> = {
  'apps.deployments': [
    number('replicas', 'spec', 'replicas'),
    choice('strategy', ['spec', 'strategy', 'type'], ['RollingUpdate', 'Recreate']),
    ...template,
    labels,
  ],
  'apps.statefulsets': [
    number('replicas', 'spec', 'replicas'),
    text('service', 'spec', 'serviceName'),
    ...template,
    labels,
  ],
  'apps.daemonsets': [...template, labels],
  'batch.jobs': [
    number('completions', 'spec', 'completions'),
    number('parallelism', 'spec', 'parallelism'),
    number('retries', 'spec', 'backoffLimit'),
    ...template,
    labels,
  ],
  'batch.cronjobs': [
    text('schedule', 'spec', 'schedule'),
    text('timeZone', 'spec', 'timeZone'),
    choice('overlap', ['spec', 'concurrencyPolicy'], ['Allow', 'Forbid', 'Replace']),
    containers('spec', 'jobTemplate', 'spec', 'template', 'spec'),
    labels,
  ],
  pods: [containers('spec'), labels],
  services: [
    choice('type', ['spec', 'type'], ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']),
    map('selector', 'spec', 'selector'),
    list(
      'ports',
      ['spec', 'ports'],
      [
        text('name', 'name'),
        number('port', 'port'),
        text('targetPort', 'targetPort'),
        choice('protocol', ['protocol'], ['TCP', 'UDP', 'SCTP']),
      ],
      { port: 80 },
    ),
    labels,
  ],
  'networking.k8s.io.ingresses': [
    text('class', 'spec', 'ingressClassName'),
    list(
      'rules',
      ['spec', 'rules'],
      [
        text('host', 'host'),
        list(
          'paths',
          ['http', 'paths'],
          [
            text('path', 'path'),
            choice('pathType', ['pathType'], ['Prefix', 'Exact', 'ImplementationSpecific']),
            text('service', 'backend', 'service', 'name'),
            number('port', 'backend', 'service', 'port', 'number'),
          ],
          { path: '/', pathType: 'Prefix', backend: { service: { name: '', port: { number: 80 } } } },
        ),
      ],
      { host: '', http: { paths: [] } },
    ),
    labels,
  ],
  configmaps: [map('data', 'data'), labels],
  persistentvolumeclaims: [
    text('size', 'spec', 'resources', 'requests', 'storage'),
    text('class', 'spec', 'storageClassName'),
    choice(
      'accessMode',
      ['spec', 'accessModes', 0],
      ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'],
    ),
    labels,
  ],
  'autoscaling.horizontalpodautoscalers': [
    choice('targetKind', ['spec', 'scaleTargetRef', 'kind'], ['Deployment', 'StatefulSet']),
    text('target', 'spec', 'scaleTargetRef', 'name'),
    number('least', 'spec', 'minReplicas'),
    number('most', 'spec', 'maxReplicas'),
    labels,
  ],
  resourcequotas: [map('hard', 'spec', 'hard'), labels],
  namespaces: [labels, map('annotations', 'metadata', 'annotations')],
};
