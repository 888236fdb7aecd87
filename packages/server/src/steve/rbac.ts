/**
 * ClusterRbac: what anybody may do in one cluster, worked out from that cluster's own roles and bindings as they are now. Whether the
 * cluster decides by these alone, it is asked about each person: where it doesn't, nothing here is believed.
 */
import { isUnavailable, type Log, type Resource, StatusError, unavailable, withSignal } from '@drover/base';
import { clusterRoleBindings, clusterRoles, type KubeClient, roleBindings, roles, WatchCache } from '@drover/kube';
import type { Identity } from '../auth/index.ts';
import { firstMissing, type PolicyRule, rulesAllow } from '../auth/rules.ts';
import type { Reach } from './cache/sql.ts';

/** One resource of a cluster's API. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
  readonly namespaced: boolean;
}

export interface Place {
  readonly namespace?: string;
  readonly name?: string;
}

export interface Rights {
  /** Everything that lists and watches may show. */
  reach(of: GroupResource): Reach;
  may(verb: string, of: GroupResource, place?: Place): boolean;
  /** Whether the verb is granted on any of them, wherever it is. */
  mayAny(verb: string, of: GroupResource): boolean;
}

interface RoleLike extends Resource {
  readonly rules?: readonly PolicyRule[];
}

interface Binding extends Resource {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
}

/** A rule and the namespace that it holds in; undefined: in all, and outside of them. */
interface Held {
  readonly rule: PolicyRule;
  readonly namespace: string | undefined;
}

const keep = 500;
const subjectIndex = 'subject';

export class ClusterRbac {
  readonly #client: KubeClient;
  readonly #caches: {
    readonly clusterRoles: WatchCache<RoleLike>;
    readonly roles: WatchCache<RoleLike>;
    readonly clusterBindings: WatchCache<Binding>;
    readonly bindings: WatchCache<Binding>;
  };
  readonly #listeners = new Set<() => void>();
  #known = new Map<string, GrantedRights>();
  #failed: unknown;

  /** Keeps in step until the signal aborts. */
  constructor(client: KubeClient, { signal, log }: { readonly signal: AbortSignal; readonly log: Log }) {
    this.#client = client;
    const indexes = {
      [subjectIndex]: (binding: Binding) =>
        (binding.subjects ?? []).map(one => subjectKey(one, binding.metadata.namespace)),
    };
    const onError = (error: StatusError) => (this.#failed = error);
    this.#caches = {
      clusterRoles: new WatchCache<RoleLike>(client, clusterRoles, { onError }),
      roles: new WatchCache<RoleLike>(client, roles, { onError }),
      clusterBindings: new WatchCache<Binding>(client, clusterRoleBindings, { indexes, onError }),
      bindings: new WatchCache<Binding>(client, roleBindings, { indexes, onError }),
    };
    for (const cache of this.#all()) {
      cache.subscribe(() => this.#changed());
      cache.run(signal).catch(error => {
        this.#failed = error;
        if (!signal.aborted) log.warn({ err: error }, 'the roles of a cluster can not be kept');
      });
    }
  }

  /** Told when somebody's rights may have changed. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when roles and bindings are in; throws ServiceUnavailable where that takes longer than `timeoutMs`. */
  async ready(timeoutMs = 20_000): Promise<void> {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      await withSignal(Promise.all(this.#all().map(cache => cache.synced())), signal);
    } catch (cause) {
      throw unavailable('the roles of the cluster can not be read', { cause: this.#failed ?? cause });
    }
  }

  rightsOf(identity: Identity): Rights {
    const key = JSON.stringify([identity.userId, identity.groups]);
    let rights = this.#known.get(key);
    if (!rights) {
      if (this.#known.size >= keep) this.#known.delete(this.#known.keys().next().value!);
      this.#known.set(key, (rights = new GrantedRights(this.#held(identity), isMaster(identity))));
    }
    return rights;
  }

  /**
   * Whether the cluster says the same as its roles about this person (in one namespace, all its rules): false where a webhook or
   * another authorizer has a say.
   */
  async agrees(asUser: KubeRequest, identity: Identity): Promise<boolean> {
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace: probeNamespace },
    };
    try {
      const { status } = (await asUser(
        'POST',
        '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
        body,
      )) as RulesReview;
      if (status.incomplete) return false;
      const theirs = status.resourceRules;
      const ours = this.#held(identity).filter(
        ({ namespace }) => namespace === undefined || namespace === probeNamespace,
      );
      const rules = ours.map(({ rule }) => rule).filter(rule => rule.resources?.length);
      if (isMaster(identity)) return true;
      return firstMissing(theirs, rules) === undefined && firstMissing(rules, theirs) === undefined;
    } catch (error) {
      // A person whom the cluster does not even let ask is not to be decided about here.
      if (error instanceof StatusError && !isUnavailable(error)) return false;
      throw error;
    }
  }

  #all(): readonly WatchCache<Resource>[] {
    const { clusterRoles: a, roles: b, clusterBindings: c, bindings: d } = this.#caches;
    return [a, b, c, d] as unknown as WatchCache<Resource>[];
  }

  #changed(): void {
    this.#known = new Map();
    for (const listener of [...this.#listeners]) listener();
  }

  #held(identity: Identity): Held[] {
    const held: Held[] = [];
    const { clusterBindings, bindings } = this.#caches;
    for (const key of keysOf(identity)) {
      for (const binding of clusterBindings.byIndex(subjectIndex, key))
        for (const rule of this.#rules(binding)) held.push({ rule, namespace: undefined });
      for (const binding of bindings.byIndex(subjectIndex, key))
        for (const rule of this.#rules(binding)) held.push({ rule, namespace: binding.metadata.namespace });
    }
    return held;
  }

  #rules({ roleRef, metadata }: Binding): readonly PolicyRule[] {
    const { clusterRoles: cluster, roles: own } = this.#caches;
    const role =
      roleRef.kind === 'ClusterRole' ? cluster.get(roleRef.name) : own.get(`${metadata.namespace}/${roleRef.name}`);
    return role?.rules ?? [];
  }

  /** The client that it reads with: as the server itself. */
  get client(): KubeClient {
    return this.#client;
  }
}

/** A request made as somebody. */
export type KubeRequest = (method: 'POST', path: string, body: unknown) => Promise<unknown>;

/** Every cluster has it, and few people's rights end before it. */
const probeNamespace = 'default';

interface RulesReview {
  readonly status: { readonly incomplete?: boolean; readonly resourceRules: readonly PolicyRule[] };
}

const isMaster = ({ groups }: Identity) => groups.includes('system:masters');

/** Prefixed by kind, so that a group can't be taken for a user of the same name. */
function subjectKey(
  { kind, name, namespace }: { kind: string; name: string; namespace?: string },
  own: string | undefined,
): string {
  return kind === 'ServiceAccount' ? `User system:serviceaccount:${namespace || own || ''}:${name}` : `${kind} ${name}`;
}

function keysOf({ userId, groups }: Identity): string[] {
  return [...new Set([`User ${userId}`, ...groups.map(group => `Group ${group}`)])];
}

class GrantedRights implements Rights {
  readonly #held: readonly Held[];
  readonly #master: boolean;
  readonly #reaches = new Map<string, Reach>();

  constructor(held: readonly Held[], master: boolean) {
    this.#held = held;
    this.#master = master;
  }

  reach(of: GroupResource): Reach {
    const key = `${of.group}/${of.resource}`;
    let reach = this.#reaches.get(key);
    if (reach === undefined) this.#reaches.set(key, (reach = this.#reach(of)));
    return reach;
  }

  #reach(of: GroupResource): Reach {
    if (this.#master) return 'all';
    const namespaces = new Set<string>();
    const names = new Set<string>();
    const ids = new Set<string>();
    for (const { rule, namespace } of this.#held) {
      if (!of.namespaced && namespace !== undefined) continue;
      const lists = allows(rule, 'list', of);
      if (!rule.resourceNames?.length) {
        if (!lists) continue;
        if (namespace === undefined) return 'all';
        namespaces.add(namespace);
      } else if (lists || allows(rule, 'get', of)) {
        for (const name of rule.resourceNames) {
          if (namespace === undefined) names.add(name);
          else ids.add(`${namespace}/${name}`);
        }
      }
    }
    return { namespaces: [...namespaces], names: [...names], ids: [...ids] };
  }

  may(verb: string, of: GroupResource, { namespace, name }: Place = {}): boolean {
    if (this.#master) return true;
    // A namespace that is named is in itself: what is bound there holds for it.
    const place = of.namespaced ? namespace : of.resource === 'namespaces' && of.group === '' ? name : undefined;
    return this.#held.some(
      held =>
        (held.namespace === undefined || (place !== undefined && held.namespace === place)) &&
        rulesAllow([held.rule], verb, { group: of.group, resource: of.resource, name }),
    );
  }

  mayAny(verb: string, of: GroupResource): boolean {
    return (
      this.#master ||
      this.#held.some(held => (of.namespaced || held.namespace === undefined) && allows(held.rule, verb, of))
    );
  }
}

/** Whether the rule is about this verb on this resource, for whatever names. */
function allows(rule: PolicyRule, verb: string, { group, resource }: GroupResource): boolean {
  return rulesAllow([rule.resourceNames?.length ? { ...rule, resourceNames: [] } : rule], verb, { group, resource });
}
