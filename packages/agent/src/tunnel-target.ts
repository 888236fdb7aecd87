/**
 * What the server may reach through the agent: the kube-apiserver behind the agent's guard, the agent itself, and the
 * addresses that whoever runs the agent allowed by name. Nothing else is dialled, whoever asks.
 */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { forbidden, unavailable } from '@drover/base';
import type { Opened, Target } from '@drover/tunnel';

export interface TargetServers {
  readonly kubernetes: { serve(stream: Duplex): void };
  readonly agent: { serve(stream: Duplex): void };
  /** `host:port` each. */
  readonly allow: readonly string[];
}

const dialTimeoutMs = 10_000;

/** A stream to the target. Throws Forbidden for what is not allowed, ServiceUnavailable for what does not answer. */
export async function openTarget(servers: TargetServers, target: Target, signal?: AbortSignal): Promise<Opened> {
  const { proto, address } = target;
  if (proto === 'tcp' && address === 'kubernetes:80') return stream => servers.kubernetes.serve(stream);
  if (proto === 'tcp' && address === 'agent:80') return stream => servers.agent.serve(stream);
  if (proto === 'tcp' && servers.allow.includes(address)) return dial(address, signal);
  throw forbidden(
    `this agent does not connect to ${proto} ${address.slice(0, 100)}; start it with --allow to permit it`,
  );
}

function dial(address: string, signal: AbortSignal | undefined): Promise<Duplex> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), signal, timeout: dialTimeoutMs });
    const fail = (error: Error) => reject(unavailable(`${address}: ${error.message}`, { cause: error }));
    socket.once('error', fail);
    socket.once('timeout', () => socket.destroy(new Error(`no connection within ${dialTimeoutMs} ms`)));
    socket.once('connect', () => {
      socket.off('error', fail);
      socket.setTimeout(0);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}
