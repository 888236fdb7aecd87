/**
 * A host over SSH: one connection, a session for each command. The host's key is pinned before anything is said to it; a key that
 * was never seen goes to `trust`, which keeps it or refuses. A connection that is lost fails all that ran over it: nothing is
 * tried again here.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { type Address, forbidden, messageOf, sleep, unavailable, withSignal } from '@drover/base';
import type { Client, ClientChannel } from 'ssh2';
import type { SshAccess } from '../config/spec.ts';
import { commandEnvironment, type Executor } from './executor.ts';
import type { Running } from './running.ts';
import { makeExecutor, quoteArgv } from './shell.ts';
import { connectTimeoutMs, openSsh, type SshTrust } from './ssh-connect.ts';

export interface SshOptions extends SshTrust {
  readonly access: SshAccess;
  /** For messages: the node's name. */
  readonly host: string;
  /** The host is reached through it; its key is pinned like any other. */
  readonly bastion?: SshTrust & { readonly access: SshAccess };
  readonly signal?: AbortSignal;
}

/** Connects and has seen that commands run as root. Throws ServiceUnavailable or Forbidden that say which part failed. */
export async function connectSsh(options: SshOptions): Promise<Executor> {
  const { access, host, signal } = options;
  await using undo = new AsyncDisposableStack();
  let through: Duplex | undefined;
  if (options.bastion) {
    const { address, port } = options.bastion.access;
    const bastion = await openSsh({ ...options.bastion, host: `bastion ${address}`, signal });
    undo.defer(() => {
      bastion.end();
    });
    const to = { host: access.address, port: access.port };
    through = await forward(bastion, to, `bastion ${address}:${port}`, signal);
  }
  const client = await openSsh({ ...options, through });
  undo.defer(() => {
    client.end();
  });
  const lost = watchLoss(client, host);
  const start = (argv: readonly string[]) => startCommand({ client, host, lost, sudo: access.user !== 'root' }, argv);
  const connections = undo.move();
  const executor = makeExecutor({
    host,
    start,
    dialer: async (address, { signal: dialSignal } = {}) =>
      withSignal(
        forward(client, address, host, dialSignal),
        AbortSignal.any([lost, ...(dialSignal ? [dialSignal] : [])]),
      ),
    close: () => connections.disposeAsync(),
  });
  try {
    await requireRoot(executor, access.user, signal);
  } catch (error) {
    await connections.disposeAsync();
    throw error;
  }
  return executor;
}

async function requireRoot(executor: Executor, user: string, signal: AbortSignal | undefined): Promise<void> {
  const { host } = executor;
  const { code, stdout, stderr } = await executor.run(['id', '-u'], { timeoutMs: connectTimeoutMs, signal });
  if (code === 0 && stdout.trim() === '0') return;
  const said = stderr.trim();
  if (/password is required|terminal is required/.test(said))
    throw forbidden(`${host}: sudo wants a password of ${user}; let this user run everything without one (NOPASSWD)`);
  if (/sudo.*(not found|No such file)/.test(said))
    throw forbidden(`${host}: there is no sudo for ${user}; install it, or let root in with this key`);
  throw forbidden(`${host}: commands of ${user} don't run as root: ${said || `uid ${stdout.trim()}`}`);
}

/** Aborts, with the error that everybody gets from then on, when the connection is gone. */
function watchLoss(client: Client, host: string): AbortSignal {
  const lost = new AbortController();
  const onLost = (cause?: Error) =>
    lost.abort(unavailable(`${host}: the SSH connection is lost`, { cause: cause ?? new Error('it was closed') }));
  client.on('error', onLost).on('close', () => onLost());
  return lost.signal;
}

interface Session {
  readonly client: Client;
  readonly host: string;
  readonly lost: AbortSignal;
  readonly sudo: boolean;
}

async function startCommand(session: Session, argv: readonly string[]): Promise<Running> {
  // sshd signals only what belongs to the user who signed in: a command is found again by a word in its environment.
  const mark = `DROVER_RUN=${randomBytes(12).toString('hex')}`;
  const { channel, ended } = await exec(session, [...environment, mark, ...argv]);
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    ended,
    async kill() {
      await endMarked(session, mark).catch(() => {});
      channel.destroy();
    },
  };
}

const environment = ['env', '--', ...Object.entries(commandEnvironment).map(([name, value]) => `${name}=${value}`)];

/** Until none is left: one may have started another while the first were ended. */
const endScript = `
for pass in 1 2 3 4 5; do
  found=
  for file in /proc/[0-9]*/environ; do
    pid=\${file#/proc/}; pid=\${pid%/environ}
    [ "$pid" != $$ ] && grep -qzxF -- "$1" "$file" 2>/dev/null && kill -KILL "$pid" 2>/dev/null && found=1
  done
  [ -z "$found" ] && break
done
`;

async function endMarked(session: Session, mark: string): Promise<void> {
  const { channel, ended } = await exec(session, [...environment, 'sh', '-c', endScript, 'end', mark]);
  channel.resume();
  channel.stderr.resume();
  channel.end();
  await withSignal(ended, AbortSignal.timeout(connectTimeoutMs));
}

interface Started {
  readonly channel: ClientChannel;
  readonly ended: Promise<number>;
}

async function exec(session: Session, argv: readonly string[]): Promise<Started> {
  for (let left = 5; ; left--) {
    try {
      return await withSignal(execOnce(session, argv), session.lost);
    } catch (error) {
      session.lost.throwIfAborted();
      if (left === 0)
        throw unavailable(`${session.host}: sshd opens no session: ${messageOf(error)}`, { cause: error });
    }
    // sshd has its ten until it gets round to forgetting those that ended.
    await sleep(100, session.lost);
  }
}

function execOnce({ client, sudo, host, lost }: Session, argv: readonly string[]): Promise<Started> {
  return new Promise((resolve, reject) => {
    lost.throwIfAborted();
    client.exec(quoteArgv(sudo ? ['env', 'LC_ALL=C', 'sudo', '-n', '--', ...argv] : argv), (error, channel) => {
      // At once: a short command's end may come with the answer to its start.
      if (error) reject(error);
      else resolve({ channel, ended: endOf(channel, `${host}: sshd closed a session`, lost) });
    });
  });
}

function endOf(channel: ClientChannel, closed: string, lost: AbortSignal): Promise<number> {
  const ended = new Promise<number>((resolve, reject) => {
    let code: number | undefined;
    channel.once('exit', (status: number | null) => {
      // What shells make of a signal.
      code = status ?? 137;
    });
    const onLost = () => reject(lost.reason);
    lost.addEventListener('abort', onLost, { once: true });
    channel.once('close', () => {
      lost.removeEventListener('abort', onLost);
      if (code !== undefined) resolve(code);
      else reject(lost.aborted ? lost.reason : unavailable(`${closed} before its end`));
    });
    channel.on('error', reject);
  });
  ended.catch(() => {});
  return ended;
}

/** Through the far sshd, which dials from where it is. A stream that comes after its time is closed. */
function forward(client: Client, address: Address, by: string, signal?: AbortSignal): Promise<Duplex> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onOpen = (error: Error | undefined, channel: ClientChannel) => {
      const what = address.network === 'unix' ? host : `${host}:${port}`;
      if (error) reject(unavailable(`${by}: ${what} can't be reached: ${messageOf(error)}`, { cause: error }));
      else if (signal?.aborted) channel.destroy();
      else resolve(channel);
    };
    if (address.network === 'unix') client.openssh_forwardOutStreamLocal(host, onOpen);
    else client.forwardOut('127.0.0.1', 0, host, port, onOpen);
  });
}
