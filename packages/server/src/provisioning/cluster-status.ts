/** What is told of a cluster on hosts and of its nodes while something is done to them: conditions, and what is known once it stands. */
import type { Cluster, ManagedNode } from '@drover/api';
import { findCondition, ignoreNotFound, isTrue, type NewCondition, setCondition, sleep } from '@drover/base';
import { finalizerOf, type Resources } from '../resources/index.ts';

export const engineDriver = 'rancherKubernetesEngine';

/** On clusters: their hosts are clean when it goes. */
export const engineFinalizer = finalizerOf('cluster-engine');

export const isOnHosts = ({ spec }: Cluster): boolean => Boolean(spec?.rancherKubernetesEngineConfig);

/** Until a cluster was made once all that is done is making it; afterwards it is being changed. */
export const phaseOf = (cluster: Cluster): 'Provisioned' | 'Updated' =>
  isTrue(cluster.status?.conditions, 'Provisioned') ? 'Updated' : 'Provisioned';

export class ClusterStatus {
  readonly #resources: Resources;
  readonly #clusterId: string;
  #telling: Promise<void> = Promise.resolve();
  #next: string | undefined;

  constructor(resources: Resources, clusterId: string) {
    this.#resources = resources;
    this.#clusterId = clusterId;
  }

  async set(conditions: readonly NewCondition[], status: Partial<NonNullable<Cluster['status']>> = {}): Promise<void> {
    await this.#telling;
    await ignoreNotFound(
      this.#resources.modify('cluster', { name: this.#clusterId }, seen => {
        let all = seen.status?.conditions;
        for (const condition of conditions) all = setCondition(all, condition);
        return {
          ...seen,
          status: { ...seen.status, driver: engineDriver, provider: 'rke', ...status, conditions: all },
        };
      }),
    );
  }

  /** What is being done right now. Steps go by fast: only the last one is written. */
  doing(phase: 'Provisioned' | 'Updated', message: string): void {
    const isBusy = this.#next !== undefined;
    this.#next = message;
    if (isBusy) return;
    this.#telling = this.#tellLast(phase).catch(() => undefined);
  }

  async #tellLast(phase: 'Provisioned' | 'Updated'): Promise<void> {
    for (let told = ''; this.#next !== told; ) {
      told = this.#next ?? '';
      await sleep(300);
      await this.#resources.modify('cluster', { name: this.#clusterId }, seen => {
        const conditions = setCondition(seen.status?.conditions, {
          type: phase,
          status: 'Unknown',
          reason: 'Working',
          message: this.#next ?? told,
        });
        return conditions === seen.status?.conditions ? undefined : { ...seen, status: { ...seen.status, conditions } };
      });
    }
    this.#next = undefined;
  }

  /** Nothing is said by `doing` after this. */
  async settled(): Promise<void> {
    await this.#telling;
  }
}

/** Says of nodes how far they are. */
export async function tellNodes(
  resources: Resources,
  nodes: readonly ManagedNode[],
  condition: (node: ManagedNode) => NewCondition | undefined,
): Promise<void> {
  for (const node of nodes) {
    const { name, namespace } = node.metadata;
    const next = condition(node);
    if (!next || sameAs(findCondition(node.status?.conditions, next.type), next)) continue;
    await ignoreNotFound(
      resources.modify('node', { name, namespace }, seen => {
        const conditions = setCondition(seen.status?.conditions, next);
        return conditions === seen.status?.conditions ? undefined : { ...seen, status: { ...seen.status, conditions } };
      }),
    );
  }
}

const sameAs = (old: { status: string; message?: string } | undefined, next: NewCondition): boolean =>
  old?.status === next.status && (old.message ?? '') === (next.message ?? '');
