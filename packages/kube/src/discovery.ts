/**
 * What a kube-apiserver serves: its resources by group and version, in two requests where it knows aggregated discovery
 * (Kubernetes 1.26 and newer), else one per group version. A group whose backend is away is left out, not fatal.
 */
import { hasReason, notFound, type Resource, type StatusError } from '@drover/base';
import type { KubeClient } from './client.ts';
import type { ResourceRef } from './resource-ref.ts';

export interface Version {
  readonly gitVersion: string;
  readonly major: string;
  readonly minor: string;
  readonly platform?: string;
  readonly goVersion?: string;
}

export interface ApiResource extends ResourceRef {
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

type Signal = { readonly signal?: AbortSignal };

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const aggregatedBeta = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList';
const freshMs = 10 * 60_000;
/** A kind that is missed makes us look again, but not more often than this. */
const lookAgainMs = 1000;

export class Discovery {
  readonly #client: KubeClient;
  #read: Promise<readonly ApiResource[]> | undefined;
  #readAt = 0;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** All resources, without subresources, the preferred version of each group first. */
  async resources(options: Signal = {}): Promise<readonly ApiResource[]> {
    if (!this.#read || performance.now() - this.#readAt > freshMs) this.#start(options);
    return this.#read!;
  }

  /** The resource of a kind at one version. Throws NotFound when the server does not serve it. */
  async find(kind: string, apiVersion: string, options: Signal = {}): Promise<ApiResource> {
    const wanted = (one: ApiResource) => one.kind === kind && one.apiVersion === apiVersion;
    const known = (await this.resources(options)).find(wanted);
    if (known) return known;
    if (performance.now() - this.#readAt > lookAgainMs) {
      this.#start(options);
      const late = (await this.resources(options)).find(wanted);
      if (late) return late;
    }
    throw notFound(`kind ${kind} of`, apiVersion);
  }

  /** Forgets what was read, e.g. after a CustomResourceDefinition was added. */
  forget(): void {
    this.#read = undefined;
  }

  #start(options: Signal): void {
    const read = readAll(this.#client, options);
    this.#read = read;
    this.#readAt = performance.now();
    read.catch(() => {
      if (this.#read === read) this.#read = undefined;
    });
  }
}

async function readAll(client: KubeClient, options: Signal): Promise<ApiResource[]> {
  const accept = `${aggregated},${aggregatedBeta};q=0.9,application/json;q=0.8`;
  const parts = await Promise.all(
    ['/api', '/apis'].map(path => client.request<AnyDiscovery>('GET', path, { headers: { accept }, ...options })),
  );
  const read = parts.map(part => {
    if (part.kind === 'APIGroupDiscoveryList') return Promise.resolve(fromAggregated(part));
    const versions =
      part.kind === 'APIVersions'
        ? part.versions
        : part.groups.flatMap(group => preferredFirst(group).map(version => version.groupVersion));
    return fromEach(client, versions, options);
  });
  return (await Promise.all(read)).flat();
}

function preferredFirst(group: ApiGroup): readonly { groupVersion: string }[] {
  const first = group.preferredVersion?.groupVersion;
  return [...group.versions].sort((a, b) => Number(b.groupVersion === first) - Number(a.groupVersion === first));
}

function fromAggregated(list: AggregatedList): ApiResource[] {
  return list.items.flatMap(group =>
    group.versions.flatMap(version =>
      (version.resources ?? []).flatMap((one): ApiResource[] => {
        const kind = one.responseKind?.kind;
        if (!kind) return [];
        return [
          {
            apiVersion: group.metadata?.name ? `${group.metadata.name}/${version.version}` : version.version,
            resource: one.resource,
            kind,
            namespaced: one.scope === 'Namespaced',
            verbs: one.verbs,
            singular: one.singularResource || undefined,
            shortNames: one.shortNames,
            categories: one.categories,
          },
        ];
      }),
    ),
  );
}

async function fromEach(client: KubeClient, versions: readonly string[], options: Signal): Promise<ApiResource[]> {
  const lists = await Promise.all(
    versions.map(async apiVersion => {
      try {
        const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
        const list = await client.request<LegacyList>('GET', path, options);
        return list.resources
          .filter(one => !one.name.includes('/'))
          .map(({ name, singularName, ...one }) => ({ ...one, resource: name, singular: singularName, apiVersion }));
      } catch (error) {
        // An aggregated API whose backend is down must not hide all the others.
        if (hasReason(error, 'ServiceUnavailable', 'NotFound') && error.status !== 502 && isAnswer(error)) return [];
        throw error;
      }
    }),
  );
  return lists.flat();
}

/** True for what the server itself answered, not for a failure to reach it. */
function isAnswer(error: StatusError): boolean {
  return error.cause === undefined;
}

interface ApiGroup {
  readonly versions: readonly { groupVersion: string }[];
  readonly preferredVersion?: { groupVersion: string };
}

interface AggregatedList {
  readonly kind: 'APIGroupDiscoveryList';
  readonly items: readonly {
    readonly metadata?: Partial<Resource['metadata']>;
    readonly versions: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind?: { readonly kind: string };
        readonly scope: string;
        readonly singularResource?: string;
        readonly verbs: readonly string[];
        readonly shortNames?: readonly string[];
        readonly categories?: readonly string[];
      }[];
    }[];
  }[];
}

type AnyDiscovery =
  | AggregatedList
  | { readonly kind: 'APIVersions'; readonly versions: readonly string[] }
  | { readonly kind: 'APIGroupList'; readonly groups: readonly ApiGroup[] };

interface LegacyList {
  readonly resources: readonly {
    readonly name: string;
    readonly singularName?: string;
    readonly namespaced: boolean;
    readonly kind: string;
    readonly verbs: readonly string[];
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  }[];
}
