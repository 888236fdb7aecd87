/** Leases kept by etcd, which ends them by its own monotonic clock; keys bound to one go with it. */
import { conflict, timedOut, withSignal } from '@drover/base';
import { leaseEnded } from '../held-lease.ts';
import { etcdError } from './errors.ts';
import type { Int64 } from './messages.ts';
import type { EtcdRpc } from './rpc.ts';

export interface EtcdGrant {
  readonly id: string;
  /** Perhaps longer than was asked: etcd counts whole seconds and has a least time of its own (about 2 s). */
  readonly ttlMs: number;
}

export async function grantLease(rpc: EtcdRpc, ttlMs: number): Promise<EtcdGrant> {
  const answer = await rpc.call<{ ID: Int64; TTL: Int64 }>(
    'Lease',
    'LeaseGrant',
    { TTL: Math.max(1, Math.ceil(ttlMs / 1000)), ID: 0 },
    { write: true },
  );
  return { id: String(answer.ID), ttlMs: Number(answer.TTL) * 1000 };
}

/** Throws Conflict when etcd has ended the lease. */
export async function renewLease(rpc: EtcdRpc, id: string, signal: AbortSignal): Promise<void> {
  const stream = await rpc.stream('Lease', 'LeaseKeepAlive');
  let timer: NodeJS.Timeout | undefined;
  const answer = new Promise<{ TTL: Int64 }>((resolve, reject) => {
    stream.once('data', resolve);
    stream.on('error', reject);
    stream.once('end', () => reject(conflict('lease', id, 'etcd gave no answer')));
    timer = setTimeout(() => reject(timedOut(`etcd did not renew lease ${id}`)), rpc.timeoutMs).unref();
  });
  try {
    stream.write({ ID: id });
    stream.end();
    const { TTL } = await withSignal(answer, signal);
    if (Number(TTL) <= 0) throw leaseEnded(id);
  } catch (error) {
    rpc.away(error);
    throw etcdError(error);
  } finally {
    clearTimeout(timer);
    answer.catch(() => undefined);
    stream.cancel();
  }
}

export async function revokeLease(rpc: EtcdRpc, id: string): Promise<void> {
  await rpc.call('Lease', 'LeaseRevoke', { ID: id }, { write: true });
}
