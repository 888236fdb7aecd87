/**
 * What belongs together in a cluster: objects and how they point to each other, as groups of what hangs together. Made of what the lists
 * say (owners, what pods use, selectors) and of the few fields that name another object.
 */
import type { Kind } from '../net/kinds.ts';
import { at, type KubeObject, listAt, type ObjectState, textAt } from '../net/objects.ts';

export type Rel = 'owns' | 'selects' | 'routes' | 'uses' | 'binds' | 'scales';

export interface MapNode {
  readonly key: string;
  /** Of its kind, for its address; and the object's id in it. */
  readonly plural: string;
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly state?: ObjectState;
  /** So many more like it are not shown one by one. */
  readonly more?: number;
}

export interface MapEdge {
  readonly from: string;
  readonly to: string;
  readonly rel: Rel;
}

export interface MapGroup {
  readonly key: string;
  readonly nodes: readonly MapNode[];
  readonly edges: readonly MapEdge[];
  readonly isUnwell: boolean;
}

export interface ClusterMap {
  readonly groups: readonly MapGroup[];
  /** What nothing points to, and that points to nothing. */
  readonly alone: readonly MapNode[];
}

/** Kinds of the map, in the order in which they stand from left to right. */
export const columns: readonly (readonly string[])[] = [
  ['Ingress', 'HorizontalPodAutoscaler', 'CronJob'],
  ['Service', 'Deployment', 'StatefulSet', 'DaemonSet'],
  ['EndpointSlice', 'ReplicaSet', 'Job'],
  ['Pod'],
  ['ConfigMap', 'Secret', 'PersistentVolumeClaim'],
  ['PersistentVolume'],
];
const columnByKind = new Map(columns.flatMap((kinds, column) => kinds.map(kind => [kind, column] as const)));
export const columnOf = ({ kind }: Pick<MapNode, 'kind'>): number => columnByKind.get(kind) ?? 0;

/** Of one owner; those that are not well are shown first. */
export const mostPods = 6;
/** In every namespace, and about nothing of it. */
const isEverywhere = ({ kind, metadata }: OfKind): boolean =>
  kind === 'ConfigMap' && metadata.name === 'kube-root-ca.crt';

/** As lists send it by parts: the kind is not in it. */
export type Part = Omit<KubeObject, 'apiVersion' | 'kind'>;
type OfKind = Part & { readonly kind: string };

export interface Listed {
  readonly kind: Kind;
  readonly objects: readonly Part[];
}

export function buildMap(lists: readonly Listed[]): ClusterMap {
  const nodes = new Map<string, MapNode>();
  const objects = new Map<string, OfKind>();
  for (const { kind, objects: all } of lists) {
    for (const listed of all) {
      const object = { ...listed, kind: kind.kind };
      if (isEverywhere(object)) continue;
      const { name, namespace, state } = object.metadata;
      const key = `${kind.id}/${object.id}`;
      const place = { plural: kind.plural, id: object.id, kind: kind.kind, name };
      nodes.set(key, { key, ...place, ...(namespace ? { namespace } : {}), ...(state ? { state } : {}) });
      objects.set(key, object);
    }
  }
  const found = edgesOf(objects, lists).filter(({ from, to }) => nodes.has(from) && nodes.has(to));
  const owners = new Set(found.filter(({ rel }) => rel === 'owns').map(({ from }) => from));
  // Of a Deployment's earlier revisions nothing runs.
  for (const { key, kind } of [...nodes.values()]) if (kind === 'ReplicaSet' && !owners.has(key)) nodes.delete(key);
  const edges = found.filter(({ from, to }) => nodes.has(from) && nodes.has(to));
  return grouped(nodes, edges);
}

function edgesOf(objects: ReadonlyMap<string, OfKind>, lists: readonly Listed[]): MapEdge[] {
  const edges = new Map<string, MapEdge>();
  const add = (from: string, to: string, rel: Rel) => edges.set(`${from} ${to}`, { from, to, rel });
  const idOfKind = new Map(lists.map(({ kind }) => [kind.kind, kind.id]));
  const keyOf = (kind: string, namespace: string, name: string) =>
    `${idOfKind.get(kind)}/${namespace ? `${namespace}/` : ''}${name}`;
  const pods = lists.find(({ kind }) => kind.kind === 'Pod');
  for (const [key, object] of objects) {
    const { namespace = '', relationships = [] } = object.metadata;
    for (const { rel, fromType, fromId, toType, toId, selector } of relationships) {
      if (rel === 'owner' && fromType && fromId) add(`${fromType}/${fromId}`, key, 'owns');
      if (rel === 'uses' && toType && toId) add(key, `${toType}/${toId}`, 'uses');
      if (rel === 'selects' && selector && pods)
        for (const pod of pods.objects)
          if (pod.metadata.namespace === namespace && isSelected(pod, selector))
            add(key, `${pods.kind.id}/${pod.id}`, 'selects');
    }
    for (const service of backendsOf(object)) add(key, keyOf('Service', namespace, service), 'routes');
    const volume = object.kind === 'PersistentVolumeClaim' ? textAt(object, 'spec.volumeName') : '';
    if (volume) add(key, keyOf('PersistentVolume', '', volume), 'binds');
    const scaled = at(object, 'spec.scaleTargetRef');
    if (scaled) add(key, keyOf(textAt(scaled, 'kind'), namespace, textAt(scaled, 'name')), 'scales');
  }
  return [...edges.values()];
}

function isSelected({ metadata: { labels = {} } }: Part, selector: string): boolean {
  return selector.split(',').every(pair => {
    const cut = pair.indexOf('=');
    return labels[pair.slice(0, cut)] === pair.slice(cut + 1);
  });
}

/** The services that an Ingress leads to. */
function backendsOf(object: OfKind): string[] {
  if (object.kind !== 'Ingress') return [];
  const paths = listAt<unknown>(object, 'spec.rules').flatMap(rule => listAt<unknown>(rule, 'http.paths'));
  const names = [
    ...paths.map(path => textAt(path, 'backend.service.name')),
    textAt(object, 'spec.defaultBackend.service.name'),
  ];
  return [...new Set(names)].filter(Boolean);
}

function grouped(nodes: ReadonlyMap<string, MapNode>, edges: readonly MapEdge[]): ClusterMap {
  const parent = new Map([...nodes.keys()].map(key => [key, key]));
  const rootOf = (key: string): string => {
    let root = key;
    while (parent.get(root) !== root) root = parent.get(root)!;
    parent.set(key, root);
    return root;
  };
  // What many share holds nothing together.
  const uses = Map.groupBy(edges, ({ to }) => to);
  const joins = (edge: MapEdge) => edge.rel !== 'uses' || uses.get(edge.to)!.length <= mostShared;
  for (const edge of edges) if (joins(edge)) parent.set(rootOf(edge.from), rootOf(edge.to));
  const linked = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const byRoot = Map.groupBy(
    [...nodes.values()].filter(({ key }) => linked.has(key)),
    ({ key }) => rootOf(key),
  );
  const groups = [...byRoot.values()].flatMap(all => groupOf(all, edges));
  return {
    groups: groups.sort((a, b) => Number(b.isUnwell) - Number(a.isUnwell) || a.key.localeCompare(b.key)),
    alone: [...nodes.values()].filter(({ key }) => !linked.has(key)),
  };
}

const mostShared = 30;
const isBad = ({ state }: MapNode): boolean => state?.error === true;

function groupOf(all: readonly MapNode[], edges: readonly MapEdge[]): MapGroup[] {
  if (all.length < 2) return [];
  const keys = new Set(all.map(({ key }) => key));
  const own = edges.filter(({ from, to }) => keys.has(from) && keys.has(to));
  const { nodes, hidden } = fewerPods(all, own);
  const sorted = ordered(nodes, own);
  return [
    {
      key: sorted[0]!.key,
      nodes: sorted,
      edges: own.filter(({ from, to }) => !hidden.has(from) && !hidden.has(to)),
      isUnwell: all.some(isBad),
    },
  ];
}

/** Pods that one owner has many of: a few stand for the rest. */
function fewerPods(all: readonly MapNode[], edges: readonly MapEdge[]) {
  const hidden = new Set<string>();
  const more = new Map<string, number>();
  const byKey = new Map(all.map(node => [node.key, node]));
  for (const owned of Map.groupBy(
    edges.filter(({ rel }) => rel === 'owns'),
    ({ from }) => from,
  ).values()) {
    const pods = owned.flatMap(({ to }) => byKey.get(to) ?? []).filter(({ kind }) => kind === 'Pod');
    if (pods.length <= mostPods) continue;
    const first = [...pods].sort((a, b) => Number(isBad(b)) - Number(isBad(a)));
    for (const { key } of first.slice(mostPods)) hidden.add(key);
    more.set(first[mostPods - 1]!.key, pods.length - mostPods);
  }
  const nodes = all
    .filter(({ key }) => !hidden.has(key))
    .map(node => (more.has(node.key) ? { ...node, more: more.get(node.key)! } : node));
  return { nodes, hidden };
}

/** Column by column; within one, beside what it hangs on, so that few lines cross. */
function ordered(nodes: readonly MapNode[], edges: readonly MapEdge[]): MapNode[] {
  const place = new Map<string, number>();
  const sorted: MapNode[] = [];
  for (const [column] of columns.entries()) {
    const own = nodes.filter(node => columnOf(node) === column);
    const wanted = new Map(
      own.map(({ key }) => {
        const before = edges.flatMap(({ from, to }) => {
          const other = to === key ? from : from === key ? to : undefined;
          return other === undefined ? [] : (place.get(other) ?? []);
        });
        return [key, before.length === 0 ? 0 : before.reduce((sum, one) => sum + one, 0) / before.length];
      }),
    );
    own.sort((a, b) => wanted.get(a.key)! - wanted.get(b.key)! || a.name.localeCompare(b.name));
    for (const [row, { key }] of own.entries()) place.set(key, row);
    sorted.push(...own);
  }
  return sorted;
}
