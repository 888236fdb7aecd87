/** Terminals: the sessions of all users on this server, each its user's own and bounded in number; a token taken back ends those that it opened. */
import { randomBytes } from 'node:crypto';
import { notFound, tooManyRequests } from '@drover/base';
import type { ApiDeps } from '../api/behaviour.ts';
import type { ClusterShells, ShellPlace } from '../cluster-shells/cluster-shells.ts';
import { clientFor } from '../clusters/client-for.ts';
import type { Caller } from '../http/exchange.ts';
import { requirePodShell } from '../proxy/pod-shell.ts';
import { ExecStream, type ExecWish } from './exec-stream.ts';
import { TerminalSession } from './terminal-session.ts';

const perUser = 16;
const inAll = 500;
const awayMs = 60_000;

export class Terminals {
  readonly #deps: ApiDeps;
  readonly #shells: ClusterShells;
  readonly #awayMs: number;
  readonly #open = new Map<string, TerminalSession>();

  constructor(deps: ApiDeps, shells: ClusterShells, options: { readonly awayMs?: number } = {}) {
    this.#deps = deps;
    this.#shells = shells;
    this.#awayMs = options.awayMs ?? awayMs;
  }

  /** The caller's own; throws NotFound for whatever else, whether or not it is somebody's. */
  get(id: string, caller: Caller): TerminalSession {
    const found = this.#open.get(id);
    if (found?.owner.userId !== caller.userId || found.owner.tokenId !== caller.tokenId)
      throw notFound('terminal', id.slice(0, 64));
    return found;
  }

  /** Starts a shell as the caller. Rejects with what the cluster answers, TooManyRequests for one too many. */
  async start(caller: Caller, wish: ExecWish): Promise<TerminalSession> {
    this.#requireRoom(caller);
    requirePodShell(this.#deps.caches);
    const client = clientFor(this.#deps, caller, wish.target.clusterId);
    const signal = this.#deps.auth.sessions.signalFor(caller, wish.target.clusterId);
    const end = (): void => session.close('the session has ended');
    const session = this.#make(caller, () => {
      signal.removeEventListener('abort', end);
      void client[Symbol.asyncDispose]();
    });
    signal.addEventListener('abort', end, { once: true });
    try {
      signal.throwIfAborted();
      const listener = { output: (bytes: Buffer) => session.output(bytes), ended: (why: string) => session.ended(why) };
      session.run(await ExecStream.open(client, wish, { listener, signal }));
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** Starts a kubectl shell as the caller; what it waits for and why it ends is told in it. Throws as ClusterShells.begin does. */
  startShell(caller: Caller, where: ShellPlace): TerminalSession {
    this.#requireRoom(caller);
    const listener = { output: (bytes: Buffer) => session.output(bytes), ended: (why: string) => session.ended(why) };
    const shell = this.#shells.begin(caller, where, listener);
    const session = this.#make(caller, () => undefined);
    session.run(shell);
    return session;
  }

  #requireRoom({ userId }: Caller): void {
    const own = [...this.#open.values()].filter(({ owner }) => owner.userId === userId).length;
    if (own >= perUser) throw tooManyRequests(`you have ${perUser} terminals open; close one first`, 5);
    if (this.#open.size >= inAll) throw tooManyRequests(`${inAll} terminals are open on this server`, 30);
  }

  #make({ userId, tokenId }: Caller, onGone: () => void): TerminalSession {
    const id = randomBytes(16).toString('hex');
    const session = new TerminalSession({
      id,
      owner: { userId, tokenId },
      awayMs: this.#awayMs,
      onGone: () => {
        this.#open.delete(id);
        onGone();
      },
    });
    this.#open.set(id, session);
    return session;
  }
}
