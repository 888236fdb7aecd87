/** Whether a unit does its work, asked on its own host: an active unit may be one that is about to end. */
import { anySignal, internal, messageOf, StatusError, until } from '@drover/base';
import { type Connection, KubeClient } from '@drover/kube';
import type { NodeSpec } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import type { Unit, UnitHealth } from '../node/unit.ts';
import type { Certificates } from '../pki/cluster-certs.ts';
import { etcdConnection } from './etcd-members.ts';

export interface HealthOptions {
  readonly executor: Executor;
  readonly node: NodeSpec;
  readonly certificates: Certificates;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Resolves once it is well; throws Timeout with the last answer, and what the unit last wrote. */
export async function waitUntilHealthy(unit: Unit, options: HealthOptions): Promise<void> {
  const { executor, timeoutMs = 180_000, signal } = options;
  try {
    await until(`${unit.name} on ${executor.host} to be well`, () => isHealthy(unit, options), {
      timeoutMs,
      everyMs: 250,
      signal,
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw internal(`${messageOf(error)}\n${await lastLines(executor, unit.name)}`);
  }
}

/** The end of a unit's journal, for a person who has to find out why. */
export async function lastLines(executor: Executor, unit: string): Promise<string> {
  const argv = ['journalctl', '--unit', unit, '--lines', '20', '--no-pager', '--output', 'cat'];
  const { stdout } = await executor.run(argv).catch(() => ({ stdout: '' }));
  return stdout
    .trim()
    .split('\n')
    .map(line => `  ${executor.host}: ${line.slice(0, 400)}`)
    .join('\n');
}

async function isHealthy({ name, health }: Unit, options: HealthOptions): Promise<boolean> {
  const { executor, signal } = options;
  if (!health) return isActive(executor, name, signal);
  if (health.kind === 'socket') return (await executor.run(['test', '-S', health.path], { signal })).code === 0;
  await using client = new KubeClient(connectionFor(health, options));
  const path = health.kind === 'etcd' ? '/health' : health.path;
  const answer = await client.stream('GET', path, { signal: anySignal(signal, AbortSignal.timeout(5_000)) });
  answer.body.resume();
  if (answer.status !== 200)
    throw new StatusError(answer.status, 'ServiceUnavailable', `${path} answers ${answer.status}`);
  return true;
}

async function isActive(executor: Executor, unit: string, signal?: AbortSignal): Promise<boolean> {
  return (await executor.run(['systemctl', 'is-active', '--quiet', unit], { signal })).code === 0;
}

function connectionFor(health: Exclude<UnitHealth, { kind: 'socket' }>, options: HealthOptions): Connection {
  const { executor, node, certificates } = options;
  const { dialer } = executor;
  if (health.kind === 'etcd') return etcdConnection(node, executor, certificates);
  if (health.kind === 'http') return { server: `http://127.0.0.1:${health.port}`, dialer };
  // Components that answer for themselves alone have a certificate that they made up at their start.
  if (health.host === undefined)
    return { server: `https://127.0.0.1:${health.port}`, dialer, insecureSkipTlsVerify: true };
  const { cert, key } = certificates['kube-admin']!;
  return {
    server: `https://${health.host}:${health.port}`,
    ca: certificates['kube-ca']!.cert,
    clientCert: cert,
    clientKey: key,
    dialer,
  };
}
