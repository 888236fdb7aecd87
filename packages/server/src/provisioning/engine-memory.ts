/**
 * What has to outlive a server about a cluster on hosts: the engine's state with every key of the cluster, and what was last brought
 * about. One secret, encrypted like all of them, written before anything is done that stands on it.
 */
import { type ClusterSpec, formatState, type KeptState, parseState } from '@drover/engine';
import type { Resources } from '../resources/index.ts';

export const memorySecretName = 'engine-state';

/** What was brought about, by digests of what was asked for. */
export interface Progress {
  readonly applied?: string;
  readonly agent?: string;
  /** Of Kubernetes. */
  readonly version?: string;
  /** The nodes that were in the cluster when it was last brought to what was asked for, by name. */
  readonly nodes?: readonly string[];
  /** Those that may have old certificates yet, by name: they were away, or were not come to, when new ones were made. */
  readonly behind?: readonly string[];
}

export class EngineMemory {
  readonly #resources: Resources;
  readonly #clusterId: string;
  #text: string | undefined;
  #progress: Progress;

  private constructor(resources: Resources, clusterId: string, kept: { text?: string; progress: Progress }) {
    this.#resources = resources;
    this.#clusterId = clusterId;
    this.#text = kept.text;
    this.#progress = kept.progress;
  }

  static async open(resources: Resources, clusterId: string): Promise<EngineMemory> {
    const data = (await resources.find('secret', memorySecretName, clusterId))?.stringData ?? {};
    const progress = JSON.parse(data['progress'] ?? '{}') as Progress;
    return new EngineMemory(resources, clusterId, { text: data['rkestate'], progress });
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** Of the state, as a file has it. */
  get text(): string | undefined {
    return this.#text;
  }

  /** Undefined for a cluster that was never begun. */
  state(spec: ClusterSpec): KeptState | undefined {
    return this.#text === undefined ? undefined : parseState(this.#text, spec, 'the state of this cluster');
  }

  async saveState(spec: ClusterSpec, state: KeptState): Promise<void> {
    this.#text = formatState(spec, state, { before: this.#text });
    await this.#write();
  }

  async saveProgress(progress: Progress): Promise<void> {
    this.#progress = { ...this.#progress, ...progress };
    await this.#write();
  }

  async #write(): Promise<void> {
    const stringData = {
      progress: JSON.stringify(this.#progress),
      ...(this.#text === undefined ? {} : { rkestate: this.#text }),
    };
    const metadata = { name: memorySecretName, namespace: this.#clusterId };
    await this.#resources.put('secret', { metadata, stringData }, seen => ({ ...seen, stringData }));
  }
}
