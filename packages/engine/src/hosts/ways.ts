/**
 * The ways between hosts, tried before anything is changed: on ports that nobody has yet something listens for a moment, and every host
 * that will need a port of another one goes there from its own network. Firewalls between hosts are found in no other way.
 */
import { messageOf, unavailable, withSignal } from '@drover/base';
import type { ClusterSpec, NodeSpec } from '../config/spec.ts';
import type { Executor } from './executor.ts';
import type { PreflightFacts } from './facts.ts';
import { limited } from './limited.ts';
import { type NeededPort, portsOf } from './ports.ts';
import type { Problem } from './preflight.ts';

export interface WayHost {
  readonly node: NodeSpec;
  readonly facts: PreflightFacts;
  readonly executor: Executor;
}

export interface WaysOptions {
  readonly spec: ClusterSpec;
  readonly hosts: readonly WayHost[];
  readonly signal?: AbortSignal;
}

const waysAtOnce = 50;
const dialTimeoutMs = 5_000;
/** Neither service nor file of it stays; should we be killed, it ends by itself. */
const unit = 'drover-preflight';
const received = '/run/drover-preflight';

/** Problems of ways that one of the two hosts needs and is new to; none where no host can listen. */
export async function checkWays({ spec, hosts, signal }: WaysOptions): Promise<Problem[]> {
  const targets = hosts.map(host => ({
    host,
    ports: portsOf(host.node.roles, spec).filter(({ from }) => from.length > 0),
  }));
  const listening = targets.filter(({ host }) => host.facts.canListen);
  try {
    await Promise.all(listening.map(({ host, ports }) => listen(host, ports, signal)));
    const limit = limited(waysAtOnce);
    const tries = targets.flatMap(({ host: to, ports }) =>
      ports.flatMap(port =>
        hosts
          .filter(from => from !== to && from.node.roles.some(role => port.from.includes(role)) && isNew(from, to))
          .filter(() => (port.protocol === 'tcp' ? answers(to, port) : false))
          .map(async (from): Promise<Problem[]> => {
            await using _ = await limit(signal);
            return await tryTcp(from, to, { port, signal });
          }),
      ),
    );
    const found = (await Promise.all(tries)).flat();
    return [...found, ...(await tryUdp(targets, { hosts, signal }))];
  } finally {
    await Promise.all(listening.map(({ host }) => stopListening(host)));
  }
}

const isNew = (a: WayHost, b: WayHost): boolean => !a.facts.hasOurs || !b.facts.hasOurs;

const inUse = ({ facts }: WayHost, { port, protocol }: NeededPort): boolean =>
  facts.listening.some(socket => socket.port === port && socket.protocol === protocol);

/** Whether something listens there now, ours or somebody's. */
const answers = (host: WayHost, port: NeededPort): boolean => host.facts.canListen || inUse(host, port);

async function listen(host: WayHost, ports: readonly NeededPort[], signal: AbortSignal | undefined): Promise<void> {
  const address = bracketed(host.node.internalAddress);
  const free = ports.filter(port => !inUse(host, port));
  const of = (protocol: string) => free.filter(port => port.protocol === protocol);
  const run = `systemd-run --quiet --collect --property=RuntimeMaxSec=120 --unit`;
  const lines = [`rm -rf ${received}; mkdir -m 700 ${received}`];
  if (of('tcp').length > 0) {
    const sockets = of('tcp').map(({ port }) => `-l ${address}:${port}`);
    lines.push(`${run}=${unit}-tcp systemd-socket-activate --accept ${sockets.join(' ')} /bin/true`);
  }
  for (const { port } of of('udp'))
    lines.push(
      `${run}=${unit}-udp systemd-socket-activate --datagram -l ${address}:${port} sh -c 'exec cat <&3 >${received}/udp'`,
    );
  const isThere = free.map(
    ({ port, protocol }) => `[ -n "$(ss -H -l -n --${protocol} "sport = :${port}")" ] || { sleep 0.05; continue; }`,
  );
  lines.push(
    `for try in $(seq 60); do\n${isThere.join('\n')}\nexit 0\ndone`,
    'echo "nothing can listen there" >&2; exit 1',
  );
  const { code, stderr } = await host.executor.run(['sh', '-c', lines.join('\n')], { signal });
  if (code !== 0) throw unavailable(`${host.node.name}: ways to it can't be tried: ${stderr.trim().slice(-300)}`);
}

async function stopListening({ executor }: WayHost): Promise<void> {
  const script = `systemctl stop '${unit}-*' 2>/dev/null; rm -rf ${received}`;
  // It ends by itself otherwise.
  await executor.run(['sh', '-c', script]).catch(() => undefined);
}

async function tryTcp(
  from: WayHost,
  to: WayHost,
  { port, signal }: { readonly port: NeededPort; readonly signal: AbortSignal | undefined },
): Promise<Problem[]> {
  const late = AbortSignal.timeout(dialTimeoutMs);
  const either = signal ? AbortSignal.any([signal, late]) : late;
  try {
    const dialling = from.executor.dialer({ host: to.node.internalAddress, port: port.port }, { signal: either });
    const stream = await withSignal(dialling, either);
    stream.on('error', () => {});
    stream.destroy();
    return [];
  } catch (error) {
    signal?.throwIfAborted();
    return [noWay(from, to, port, late.aborted ? 'nothing comes back: a firewall drops it' : messageOf(error))];
  }
}

/** Whoever is heard says who he is; nothing else tells whether a datagram came through. */
async function tryUdp(
  targets: readonly { readonly host: WayHost; readonly ports: readonly NeededPort[] }[],
  { hosts, signal }: Pick<WaysOptions, 'hosts' | 'signal'>,
): Promise<Problem[]> {
  const open = targets.flatMap(({ host, ports }) =>
    ports
      .filter(port => port.protocol === 'udp' && host.facts.canListen && !inUse(host, port))
      .map(port => ({ host, port })),
  );
  const senders = hosts.filter(({ facts }) => facts.canListen);
  await Promise.all(
    senders.map(async from => {
      const words = open
        .filter(({ host }) => host !== from)
        .map(({ host, port }) => `echo '${from.node.name}' >/dev/udp/${host.node.internalAddress}/${port.port}`);
      if (words.length === 0) return;
      // One may be lost, and the first waits for its neighbour's hardware address.
      const script = `for try in 1 2 3; do\n${words.join('\n')}\nsleep 0.1\ndone`;
      await from.executor.run(['bash', '-c', script], { signal });
    }),
  );
  const problems = await Promise.all(
    open.map(async ({ host: to, port }) => {
      const { stdout } = await to.executor.run(['sh', '-c', `cat ${received}/udp 2>/dev/null; true`], { signal });
      const heard = new Set(stdout.split('\n'));
      return senders
        .filter(from => from !== to && !heard.has(from.node.name))
        .map(from => noWay(from, to, port, 'what it sends does not arrive'));
    }),
  );
  return problems.flat();
}

function noWay(from: WayHost, to: WayHost, { port, protocol, what }: NeededPort, why: string): Problem {
  return {
    host: from.node.name,
    field: 'way',
    severity: 'error',
    message: `it does not reach ${to.node.name} at ${to.node.internalAddress}:${port}/${protocol} (${what}): ${why}`,
  };
}

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);
