/**
 * Keeps one process running: starts it, asks whether it is ready, starts it again with backoff when it ends, and says at any
 * time how it is. Its identity is on disk while it runs, so that one left over by a killed parent is found and ended.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { backoffMs, type Log, messageOf, sleep } from '@drover/base';
import { writeFileAtomic } from '@drover/kube';
import { type Guarded, startGuarded } from './guarded.ts';
import { type ProcessIdentity, residentBytes } from './identity.ts';
import { lastLines, openLogFile, rotateLogFile } from './log-file.ts';
import { stopProcess } from './stop.ts';

export interface SupervisedOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Where NAME.pid and NAME.log are kept. */
  readonly runDir: string;
  readonly logDir: string;
  /** Rejects as long as it does not answer well. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  readonly onChange?: (status: ProcessStatus) => void;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs?: number;
}

export interface ProcessStatus {
  readonly name: string;
  readonly state: 'starting' | 'ready' | 'unready' | 'waiting' | 'stopped';
  readonly pid?: number;
  /** How often it has been started again. */
  readonly restarts: number;
  /** Why it is not ready, in the words of the probe or of its last lines. */
  readonly message?: string;
}

const backoff = { minMs: 500, maxMs: 30_000 };
/** A process that ran so long starts anew at the shortest pause. */
const steadyMs = 60_000;
const probeEveryMs = { starting: 100, ready: 5_000 };

export class SupervisedProcess {
  readonly #options: SupervisedOptions;
  readonly #stopping = new AbortController();
  readonly #waiting = new Set<() => void>();
  #status: ProcessStatus;
  #child: Guarded | undefined;
  #loop: Promise<void> | undefined;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    this.#status = { name: options.name, state: 'stopped', restarts: 0 };
  }

  get status(): ProcessStatus {
    return this.#status;
  }

  /** Resident memory, bytes; undefined while it does not run. */
  async memoryBytes(): Promise<number | undefined> {
    return this.#child && (await residentBytes(this.#child.identity.pid));
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Resolves when it is ready; rejects with the signal's reason. */
  async ready(signal: AbortSignal): Promise<void> {
    while (this.#status.state !== 'ready') {
      signal.throwIfAborted();
      await new Promise<void>(resolve => {
        const done = () => {
          signal.removeEventListener('abort', done);
          this.#waiting.delete(done);
          resolve();
        };
        this.#waiting.add(done);
        signal.addEventListener('abort', done, { once: true });
      });
    }
  }

  /** Ends it for good: SIGTERM, SIGKILL after the grace. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#child) await stopProcess(this.#child.identity, this.#options.graceMs ?? 10_000);
    await this.#loop;
    this.#set({ state: 'stopped' });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const startedAt = performance.now();
      const ending = await this.#runOnce().catch(messageOf);
      if (signal.aborted) return;
      if (performance.now() - startedAt > steadyMs) attempt = 0;
      const message = `${ending}${await this.#lastWords()}`;
      this.#options.log.warn({ process: this.#options.name, attempt }, message);
      this.#set({ state: 'waiting', message, restarts: this.#status.restarts + 1 });
      await sleep(backoffMs(attempt, backoff), signal).catch(() => {});
    }
  }

  async #runOnce(): Promise<string> {
    const { name, command, args, env, cwd, runDir, logDir } = this.#options;
    using logFile = await openLogFile(join(logDir, `${name}.log`));
    await rotateLogFile(logFile.path);
    this.#set({ state: 'starting' });
    const child = await startGuarded({ command, args, env, cwd, stdout: logFile.fd, stderr: logFile.fd });
    this.#child = child;
    try {
      await writeFileAtomic(pidFile(runDir, name), JSON.stringify(child.identity));
      this.#set({ state: 'starting', pid: child.identity.pid });
      if (this.#stopping.signal.aborted) void stopProcess(child.identity, this.#options.graceMs ?? 10_000);
      const over = new AbortController();
      const probing = this.#probe(over.signal, logFile.path);
      const ending = await child.ended;
      over.abort();
      await probing;
      return `ended with ${ending}`;
    } finally {
      this.#child = undefined;
      await rm(pidFile(runDir, name), { force: true });
    }
  }

  async #probe(over: AbortSignal, logPath: string): Promise<void> {
    while (!over.aborted) {
      try {
        await this.#options.probe(AbortSignal.any([over, AbortSignal.timeout(5_000)]));
        this.#set({ state: 'ready', pid: this.#status.pid });
      } catch (error) {
        if (over.aborted || this.#stopping.signal.aborted) return;
        const state = this.#status.state === 'starting' ? 'starting' : 'unready';
        this.#set({ state, pid: this.#status.pid, message: messageOf(error) });
      }
      if (this.#status.state === 'ready') await rotateLogFile(logPath);
      await sleep(this.#status.state === 'ready' ? probeEveryMs.ready : probeEveryMs.starting, over).catch(() => {});
    }
  }

  async #lastWords(): Promise<string> {
    const [line] = await lastLines(join(this.#options.logDir, `${this.#options.name}.log`), 1);
    return line === undefined ? '' : `: ${line.slice(0, 500)}`;
  }

  #set(change: Partial<ProcessStatus> & Pick<ProcessStatus, 'state'>): void {
    const { name, restarts, state, pid, message } = this.#status;
    const next = { name, restarts, ...change };
    const same = next.state === state && next.pid === pid && next.message === message && next.restarts === restarts;
    if (same) return;
    this.#status = next;
    for (const done of [...this.#waiting]) done();
    this.#options.onChange?.(next);
  }
}

/** Ends what an earlier parent left running under these names: only the very processes that were written down. */
export async function endLeftovers(runDir: string, names: readonly string[], log: Log): Promise<void> {
  await Promise.all(
    names.map(async name => {
      const path = pidFile(runDir, name);
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text === undefined) return;
      const identity = parseIdentity(text);
      if (identity) {
        log.info({ process: name, pid: identity.pid }, 'ending what an earlier run left behind');
        await stopProcess(identity, 3_000);
      }
      await rm(path, { force: true });
    }),
  );
}

function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const { pid, startedAt } = JSON.parse(text) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : undefined;
  } catch {
    return undefined;
  }
}

function pidFile(runDir: string, name: string): string {
  return join(runDir, `${name}.pid`);
}
