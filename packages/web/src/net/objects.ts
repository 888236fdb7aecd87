/** What the server sends: objects of `/v1`, resources of `/v3`, and how to reach into them without trusting their form. */

export interface ObjectState {
  readonly name: string;
  readonly error: boolean;
  readonly transitioning: boolean;
  readonly message: string;
}

export interface KubeObject {
  readonly id: string;
  readonly type: string;
  readonly links: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly fields?: readonly unknown[];
    readonly state?: ObjectState;
    readonly relationships?: readonly Relationship[];
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

export interface Relationship {
  readonly rel: string;
  readonly toId?: string;
  readonly toType?: string;
  readonly fromId?: string;
  readonly fromType?: string;
  readonly selector?: string;
  readonly toNamespace?: string;
}

export interface Reading {
  readonly read: number;
  readonly of?: number;
}

export interface Collection<T = KubeObject> {
  readonly data: readonly T[];
  readonly count?: number;
  readonly revision?: string;
  /** There while the server reads the list for the first time: how many of how many it has. */
  readonly reading?: Reading;
  readonly summary?: readonly {
    readonly property: string;
    readonly counts: Readonly<Record<string, { readonly total: number }>>;
  }[];
  readonly links?: Readonly<Record<string, string>>;
  readonly createTypes?: Readonly<Record<string, string>>;
}

export interface V3Resource {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly state?: string;
  readonly created?: string;
  readonly links: Readonly<Record<string, string>>;
  readonly actions?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly error?: boolean;
}

/** The state of one of the server's own resources, with its cause. */
export function stateOfV3(resource: V3Resource): ObjectState {
  const how = textAt(resource, 'transitioning');
  return {
    name: resource.state ?? 'unknown',
    error: how === 'error',
    transitioning: how === 'yes',
    message: textAt(resource, 'transitioningMessage'),
  };
}

/** The value at a path of keys and indexes, such as `status.capacity.cpu`; undefined where it leads nowhere. */
export function at(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

export function textAt(value: unknown, path: string): string {
  const found = at(value, path);
  return found === undefined || found === null ? '' : String(found);
}

export function listAt<T>(value: unknown, path: string): readonly T[] {
  const found = at(value, path);
  return Array.isArray(found) ? (found as T[]) : [];
}

/** The path of a link on this server, wherever its host said it was. */
export function pathOf(link: string): string {
  const url = new URL(link, location.origin);
  return url.pathname + url.search;
}
