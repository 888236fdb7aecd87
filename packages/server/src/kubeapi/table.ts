/** meta.k8s.io/v1 Table: what `kubectl get` prints, made here so that each type has columns of its own. */
import type { Condition } from '@drover/base';
import type { Form } from './call.ts';
import type { KubeType } from './kube-type.ts';
import { isObject, type Json } from './shape.ts';
import type { Shown } from './show.ts';

interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly description: string;
  /** Above 0 it shows with `-o wide` only. */
  readonly priority?: number;
  readonly of: (object: Shown) => unknown;
}

const at =
  (...path: readonly string[]) =>
  (object: Shown): unknown =>
    path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), object);

const column = (name: string, path: string, more: Partial<Column> = {}): Column => ({
  name,
  type: 'string',
  description: path,
  of: at(...path.split('.')),
  ...more,
});

/** The status of a condition in one word. */
const condition = (name: string, type: string): Column => ({
  name,
  type: 'string',
  description: `condition ${type}`,
  of: object => {
    const all = (at('status', 'conditions')(object) ?? []) as Condition[];
    return all.find(one => one.type === type)?.status ?? 'Unknown';
  },
});

const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  description: 'Name must be unique within a namespace.',
  of: at('metadata', 'name'),
};
const ageColumn: Column = {
  name: 'Age',
  type: 'date',
  description: 'Time since the object was created.',
  of: object => age(String(object.metadata['creationTimestamp'] ?? '')),
};
const displayName = column('Display Name', 'displayName');
const subject = {
  name: 'Subject',
  type: 'string',
  description: 'Who is bound.',
  of: object =>
    object['userName'] || object['userPrincipalName'] || object['groupName'] || object['groupPrincipalName'],
} as const satisfies Column;

const columns: Readonly<Record<string, readonly Column[]>> = {
  cluster: [
    column('Display Name', 'spec.displayName'),
    condition('Ready', 'Ready'),
    column('Provider', 'status.driver'),
    column('Version', 'status.version.gitVersion'),
    column('Nodes', 'status.nodeCount', { type: 'integer' }),
    column('Agent', 'status.agentVersion', { priority: 1 }),
  ],
  clusterRegistrationToken: [column('Cluster', 'spec.clusterName'), column('Expires', 'status.expiresAt')],
  clusterRoleTemplateBinding: [column('Cluster', 'clusterName'), column('Role', 'roleTemplateName'), subject],
  globalRole: [displayName, column('Builtin', 'builtin', { type: 'boolean' })],
  globalRoleBinding: [column('Role', 'globalRoleName'), subject],
  node: [
    column('Node', 'status.nodeName'),
    condition('Ready', 'Ready'),
    column('Address', 'status.ipAddress'),
    column('Kubelet', 'status.info.kubernetes.kubeletVersion'),
  ],
  project: [column('Display Name', 'spec.displayName'), column('Cluster', 'spec.clusterName')],
  projectRoleTemplateBinding: [column('Project', 'projectName'), column('Role', 'roleTemplateName'), subject],
  roleTemplate: [displayName, column('Context', 'context'), column('Builtin', 'builtin', { type: 'boolean' })],
  setting: [column('Value', 'value'), column('Source', 'source')],
  token: [
    column('User', 'userId'),
    column('Description', 'description'),
    column('Cluster', 'clusterName'),
    column('Expires', 'expiresAt'),
  ],
  user: [column('Username', 'username'), displayName, column('Enabled', 'enabled', { type: 'boolean' })],
};

export const columnsOf = ({ id }: KubeType): readonly Column[] => [nameColumn, ...(columns[id] ?? []), ageColumn];

export interface TableOptions {
  readonly type: KubeType;
  /** What of each object goes with its row: `includeObject`, Metadata by default. */
  readonly include: string;
  readonly metadata?: Json;
  /** Later tables of one watch leave their columns out. */
  readonly bare?: boolean;
}

export function tableOf(objects: readonly Shown[], { type, include, metadata = {}, bare }: TableOptions): Json {
  const all = columnsOf(type);
  const definitions = all.map(({ name, type: kind, description, priority = 0 }) => ({
    name,
    type: kind,
    format: name === 'Name' ? 'name' : '',
    description,
    priority,
  }));
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: bare ? null : definitions,
    rows: objects.map(object => ({
      cells: all.map(one => cellOf(one.of(object))),
      object: include === 'None' ? null : include === 'Object' ? object : partialOf(object),
    })),
  };
}

export function partialOf({ metadata }: Shown): Json {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

/** The object, or what of it the form asked for shows. */
export function inForm(object: Shown, form: Form, options: TableOptions): Json {
  if (form === 'Table') {
    const { resourceVersion } = object.metadata;
    return tableOf([object], { ...options, metadata: resourceVersion === undefined ? {} : { resourceVersion } });
  }
  return form === 'plain' ? object : partialOf(object);
}

function cellOf(value: unknown): string | number | boolean {
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value ?? '');
}

/** As kubectl says how long ago something was: two units while they matter. */
function age(since: string, now = Date.now()): string {
  const from = Date.parse(since);
  if (Number.isNaN(from)) return '<unknown>';
  const s = Math.max(0, Math.floor((now - from) / 1000));
  const m = Math.floor(s / 60);
  const h = Math.floor(m / 60);
  const d = Math.floor(h / 24);
  const pair = (a: number, unit: string, b: number, minor: string) => `${a}${unit}${b > 0 ? `${b}${minor}` : ''}`;
  if (s < 120) return `${s}s`;
  if (m < 10) return pair(m, 'm', s % 60, 's');
  if (m < 180) return `${m}m`;
  if (h < 8) return pair(h, 'h', m % 60, 'm');
  if (h < 48) return `${h}h`;
  if (d < 8) return pair(d, 'd', h % 24, 'h');
  if (d < 730) return `${d}d`;
  return pair(Math.floor(d / 365), 'y', d % 365, 'd');
}
