/**
 * The members of etcd through its JSON gateway (etcd's api/v3 mapping of its gRPC services), asked on any host that has one: it
 * needs no client library and goes wherever the executor's dialer goes.
 */
import { isUnavailable, messageOf, unavailable } from '@drover/base';
import { type Connection, KubeClient } from '@drover/kube';
import type { NodeSpec } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { clientUrl } from '../node/etcd.ts';
import type { Certificates } from '../pki/cluster-certs.ts';
import type { SeenMember } from './seen.ts';

interface RawMember {
  readonly ID: string;
  readonly name?: string;
  readonly peerURLs?: readonly string[];
  readonly isLearner?: boolean;
}

/** How etcd of this host is asked. */
export function etcdConnection(node: NodeSpec, executor: Executor, certificates: Certificates): Connection {
  const { cert, key } = certificates['kube-apiserver-etcd-client']!;
  return {
    server: clientUrl(node),
    ca: certificates['kube-etcd-ca']!.cert,
    clientCert: cert,
    clientKey: key,
    dialer: executor.dialer,
  };
}

export class EtcdMembers {
  readonly #connections: readonly Connection[];

  /** One connection for each host that may have a member; the first that answers is used. */
  constructor(connections: readonly Connection[]) {
    this.#connections = connections;
  }

  /** What a majority agrees on. Throws ServiceUnavailable where there is none. */
  async list(signal?: AbortSignal): Promise<SeenMember[]> {
    const { members = [] } = await this.#ask<{ members?: RawMember[] }>('member/list', { linearizable: true }, signal);
    return members.map(member => ({
      id: member.ID,
      name: member.name ?? '',
      peerUrls: member.peerURLs ?? [],
      isLearner: member.isLearner === true,
    }));
  }

  /** All members after it. */
  async add(peerUrl: string, signal?: AbortSignal): Promise<SeenMember[]> {
    await this.#ask('member/add', { peerURLs: [peerUrl] }, signal);
    return this.list(signal);
  }

  async remove(id: string, signal?: AbortSignal): Promise<void> {
    await this.#ask('member/remove', { ID: id }, signal);
  }

  /** Before a member is started anew: where it leads, another one does then, and nobody has to wait for an election. */
  async yieldLeadership(node: NodeSpec, signal?: AbortSignal): Promise<void> {
    const connection = this.#connections.find(({ server }) => server === clientUrl(node));
    if (!connection) return;
    await using client = new KubeClient(connection, { timeoutMs: 10_000 });
    const ask = <T>(path: string, body: object) =>
      client.request<T>('POST', `/v3/maintenance/${path}`, { body, signal });
    try {
      const { header, leader } = await ask<{ header: { member_id: string }; leader?: string }>('status', {});
      if (leader !== header.member_id) return;
      const next = (await this.list(signal)).find(({ id, name, isLearner }) => id !== leader && name && !isLearner);
      if (next) await ask('transfer-leadership', { targetID: next.id });
    } catch {
      // One that is down leads nobody; one that can't hand over is followed by election.
      signal?.throwIfAborted();
    }
  }

  async #ask<T>(path: string, body: object, signal: AbortSignal | undefined): Promise<T> {
    const reasons: string[] = [];
    for (const connection of this.#connections) {
      await using client = new KubeClient(connection, { timeoutMs: 10_000 });
      try {
        return await client.request<T>('POST', `/v3/cluster/${path}`, { body, signal });
      } catch (error) {
        signal?.throwIfAborted();
        // A refusal is an answer: the next one would say the same.
        if (!isUnavailable(error)) throw error;
        reasons.push(messageOf(error));
      }
    }
    throw unavailable(`no etcd member answers: ${reasons.join('; ') || 'there is none'}`);
  }
}
