/** The ways to all hosts of a cluster, and through them to its API. */
import { messageOf, unavailable } from '@drover/base';
import type { Connection } from '@drover/kube';
import type { ClusterSpec, NodeSpec } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { controlNodes } from '../node/host-input.ts';
import type { Certificates } from '../pki/cluster-certs.ts';
import type { UpOptions } from './up.ts';

export interface Connected {
  /** By the node's name. */
  readonly executors: Map<string, Executor>;
  /** Why not, for each that can't be reached, by the node's name. */
  readonly unreachable: ReadonlyMap<string, string>;
}

export async function connectAll(
  nodes: readonly NodeSpec[],
  { connect }: Pick<UpOptions, 'connect'>,
  undo: AsyncDisposableStack,
): Promise<Connected> {
  const executors = new Map<string, Executor>();
  const unreachable = new Map<string, string>();
  await Promise.all(
    nodes.map(async node => {
      try {
        executors.set(node.name, undo.use(await connect(node)));
      } catch (error) {
        // Most begin with the name themselves.
        unreachable.set(node.name, messageOf(error).replace(`${node.name}: `, ''));
      }
    }),
  );
  return { executors, unreachable };
}

/** Hosts that leave may be gone already: that is no reason to keep the others waiting. */
export async function connectSome(
  nodes: readonly NodeSpec[],
  { connect, onWarning }: Pick<UpOptions, 'connect' | 'onWarning'>,
  undo: AsyncDisposableStack,
): Promise<Map<string, Executor>> {
  const executors = new Map<string, Executor>();
  await Promise.all(
    nodes.map(async node => {
      try {
        executors.set(node.name, undo.use(await connect(node)));
      } catch (error) {
        onWarning(`${node.name} leaves the cluster but can't be reached, so it is not cleaned: ${messageOf(error)}`);
      }
    }),
  );
  return executors;
}

/** Any control plane that takes a connection; all have the name `kubernetes` in their certificate. */
export function apiConnection(
  spec: ClusterSpec,
  certificates: Certificates,
  executors: ReadonlyMap<string, Executor>,
): Connection {
  const { cert, key } = certificates['kube-admin']!;
  return {
    server: 'https://kubernetes:6443',
    ca: certificates['kube-ca']!.cert,
    clientCert: cert,
    clientKey: key,
    async dialer(_, dialOptions) {
      const reasons: string[] = [];
      for (const node of controlNodes(spec)) {
        const executor = executors.get(node.name);
        if (!executor) continue;
        try {
          return await executor.dialer({ host: node.internalAddress, port: 6443 }, dialOptions);
        } catch (error) {
          dialOptions?.signal?.throwIfAborted();
          reasons.push(messageOf(error));
        }
      }
      throw unavailable(`no control plane takes a connection: ${reasons.join('; ')}`);
    },
  };
}
