/** ClusterShells: the kubectl shells that run on this server: who may have one, so many for each user and cluster, and the end of all. */
import type { IncomingMessage } from 'node:http';
import { forbidden, randomName, type StatusError, sleep, tooManyRequests, unavailable } from '@drover/base';
import type { ApiDeps } from '../api/behaviour.ts';
import { noteForAudit } from '../audit/notes.ts';
import { requireMember } from '../clusters/client-for.ts';
import { isFeatureOn } from '../features.ts';
import type { Caller } from '../http/exchange.ts';
import { ClusterShell, type ShellListener } from './cluster-shell.ts';

const perUser = 4;
const perCluster = 50;
const patienceMs = 5000;

export interface ShellPlace {
  readonly clusterId: string;
  /** How this server was reached. */
  readonly base: string;
  /** The one that asks for it, for the audit log. */
  readonly request?: IncomingMessage;
}

export class ClusterShells implements AsyncDisposable {
  readonly #deps: ApiDeps;
  readonly #open = new Set<ClusterShell>();
  readonly #life = new AbortController();

  constructor(deps: ApiDeps) {
    this.#deps = deps;
    deps.caches.cluster.subscribe(({ key, after }) => {
      if (after && !after.metadata.deletionTimestamp) return;
      for (const shell of this.#open) if (shell.wish.clusterId === key) shell.end('the cluster is being removed');
    }, this.#life.signal);
  }

  /**
   * Begins one as the caller; what it waits for and why it ends, as being one too many, is told to the listener: a browser shows nobody
   * why a WebSocket was refused. Throws NotFound where he is no member.
   */
  begin(caller: Caller, where: ShellPlace, listener: ShellListener): ClusterShell {
    const { clusterId, base, request } = where;
    requireMember(this.#deps, caller, clusterId);
    if (this.#life.signal.aborted) throw unavailable('the server is stopping');
    const name = `dashboard-shell-${randomName(8)}`;
    const refused = this.#refusal(caller, clusterId);
    if (request) noteForAudit(request, { clusterId, ...(refused ? { refused: refused.status } : {}) });
    const shell = new ClusterShell(this.#deps, { caller, clusterId, base, name, refused }, listener);
    this.#open.add(shell);
    void shell.done
      .catch(error => this.#deps.log.error({ err: error, pod: name }, 'a kubectl shell ended in a way it should not'))
      .finally(() => this.#open.delete(shell));
    return shell;
  }

  #refusal({ userId }: Caller, clusterId: string): StatusError | undefined {
    if (!isFeatureOn(this.#deps.caches, 'cluster-shell'))
      return forbidden('kubectl shells are switched off on this server (feature cluster-shell)');
    const open = [...this.#open].map(({ wish }) => wish).filter(({ refused }) => !refused);
    if (open.filter(({ caller }) => caller.userId === userId).length >= perUser)
      return tooManyRequests(`you have ${perUser} kubectl shells open; close one first`, 5);
    if (open.filter(wish => wish.clusterId === clusterId).length >= perCluster)
      return tooManyRequests(`${perCluster} kubectl shells are open in this cluster`, 30);
    return undefined;
  }

  /** Ends all, and waits until nothing of them is left in the clusters; not for long, as what is left is looked for later. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    for (const shell of this.#open) shell.end('the server is stopping');
    const enough = new AbortController();
    const all = Promise.allSettled([...this.#open].map(({ done }) => done)).then(() => enough.abort());
    await Promise.race([all, sleep(patienceMs, enough.signal).catch(() => undefined)]);
  }
}
