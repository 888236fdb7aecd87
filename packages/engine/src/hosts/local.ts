/** This machine as a host: commands are children of ours, in a process group each, so that all of one can be ended. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Address, forbidden, unavailable } from '@drover/base';
import { commandEnvironment, type Executor } from './executor.ts';
import type { Running } from './running.ts';
import { makeExecutor } from './shell.ts';

/** Throws Forbidden without root. */
export function connectLocal(host = 'this machine'): Executor {
  if (process.getuid?.() !== 0) throw forbidden(`${host}: has to be run as root`);
  return makeExecutor({ host, start: argv => startLocal(argv, host), dialer: dialLocal, close: async () => {} });
}

/** A child in a process group of its own. */
export async function startLocal([command = '', ...args]: readonly string[], host: string): Promise<Running> {
  const child = spawn('env', ['--', command, ...args], {
    detached: true,
    env: { ...commandEnvironment, HOME: '/root' },
  });
  // Who writes to a child that is gone hears of it by its exit code.
  child.stdin.on('error', () => {});
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', error => reject(unavailable(`${host}: ${command} can't be started`, { cause: error })));
    // What shells make of a signal.
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGTERM' ? 143 : 137)));
  });
  ended.catch(() => {});
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    async kill() {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    },
  };
}

export const dialLocal: Executor['dialer'] = (address, { signal } = {}) =>
  new Promise<Duplex>((resolve, reject) => {
    signal?.throwIfAborted();
    const socket = connect(address.network === 'unix' ? { path: address.host } : toTcp(address));
    const onAbort = () => socket.destroy(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    const over = () => signal?.removeEventListener('abort', onAbort);
    socket.once('error', error => {
      over();
      reject(signal?.aborted ? signal.reason : unavailable(`${address.host}:${address.port}`, { cause: error }));
    });
    socket.once('connect', () => {
      over();
      resolve(socket);
    });
  });

const toTcp = ({ host, port }: Address) => ({ host, port, noDelay: true });
