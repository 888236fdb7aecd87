/**
 * ClusterShell: one kubectl shell, from its pod to its end. It can be typed into at once: what is typed waits for the pod, and what it
 * waits for is written where its output goes. At its end, whichever way, token and pod are taken back.
 */
import { ignoreNotFound, type Log, messageOf } from '@drover/base';
import { KubeClient, namespaces, pods, serviceAccounts, waitForObject } from '@drover/kube';
import type { ApiDeps } from '../api/behaviour.ts';
import { resolveImage } from '../connect/import-manifest.ts';
import { marksOf } from '../controllers/ours.ts';
import type { Caller } from '../http/exchange.ts';
import { type ExecListener, ExecStream, type RunningCommand } from '../terminals/exec-stream.ts';
import { handOver, shellCommand, shellKubeconfig } from './kubeconfig-hand-over.ts';
import { waitForShellPod } from './pod-start.ts';
import { shellContainer, shellNamespace, shellPod } from './shell-pod.ts';
import { openShellToken } from './shell-token.ts';

export interface ShellWish {
  readonly caller: Caller;
  readonly clusterId: string;
  /** Of its pod. */
  readonly name: string;
  /** How this server was reached. */
  readonly base: string;
  /** Why it may not be: then it ends at once. */
  readonly refused?: Error;
}

/** Told of output and of the end, as by any command. */
export type ShellListener = Pick<ExecListener, 'ended'> & { readonly output: (bytes: Buffer) => void };

const requestTimeoutMs = 10_000;
const leave = new Error('whoever had it has left');

export class ClusterShell implements RunningCommand {
  readonly wish: ShellWish;
  /** Resolves when nothing is left of it. */
  readonly done: Promise<void>;
  readonly #deps: ApiDeps;
  readonly #listener: ShellListener;
  readonly #stop = new AbortController();
  readonly #running = Promise.withResolvers<ExecStream | undefined>();
  #exec: ExecStream | undefined;
  #size: readonly [number, number] | undefined;

  constructor(deps: ApiDeps, wish: ShellWish, listener: ShellListener) {
    this.#deps = deps;
    this.wish = wish;
    this.#listener = listener;
    this.done = this.#run();
  }

  async write(bytes: Buffer): Promise<void> {
    await (this.#exec ?? (await this.#running.promise))?.write(bytes);
  }

  resize(columns: number, rows: number): void {
    this.#size = [columns, rows];
    this.#exec?.resize(columns, rows);
  }

  pause(): void {
    this.#exec?.pause();
  }

  resume(): void {
    this.#exec?.resume();
  }

  /** Ends it without a word. */
  close(): void {
    this.#stop.abort(leave);
  }

  /** Ends it, and says why. */
  end(why: string): void {
    this.#stop.abort(new Error(why));
  }

  async #run(): Promise<void> {
    // Whoever begins it is to have it before he is told of anything.
    await Promise.resolve();
    const { caller, clusterId } = this.wish;
    const cut = this.#deps.auth.sessions.signalFor(caller, clusterId);
    const signal = AbortSignal.any([cut, this.#stop.signal]);
    await using undo = new AsyncDisposableStack();
    let why: string;
    try {
      signal.throwIfAborted();
      if (this.wish.refused) throw this.wish.refused;
      why = await this.#start(undo, signal);
    } catch (error) {
      why = messageOf(error);
    }
    if (signal.aborted) why = signal.reason === leave ? '' : messageOf(signal.reason);
    this.#running.resolve(undefined);
    this.#listener.ended(printable(why));
  }

  /** Resolves with why the command ended. */
  async #start(undo: AsyncDisposableStack, signal: AbortSignal): Promise<string> {
    const { caller, clusterId, name, base } = this.wish;
    const { settings, caches, upstreams, log } = this.#deps;
    const client = undo.use(new KubeClient(upstreams.connection(clusterId), { timeoutMs: requestTimeoutMs }));
    undo.defer(() => removePod(client, name, log));
    const token = await openShellToken(this.#deps, { caller, clusterId, onLost: why => this.end(why) });
    undo.defer(() => takeBack(token, log));
    const title = caches.cluster.get(clusterId)?.spec?.displayName || clusterId;
    const serverUrl = settings.get('server-url') || base;
    const place = { name: title, serverUrl, clusterId, ca: settings.get('cacerts') };
    const kubeconfig = shellKubeconfig(place, token.bearer);
    const image = resolveImage(settings.get('shell-image'), settings.get('system-default-registry'));
    const pod = shellPod({
      name,
      image,
      marks: marksOf(settings.get('install-uuid')),
      userId: caller.userId,
      tokenName: token.name,
      mostSeconds: Math.ceil(token.mostMs / 1000),
    });
    this.#say(`starting a pod of ${image} in ${title}`);
    await ensureNamespace(client, signal);
    // Not given up halfway: nobody would know then whether there is one to remove.
    await client.create(pods, pod);
    await waitForShellPod(client, name, { say: words => this.#say(words), signal });
    const target = { clusterId, namespace: shellNamespace, pod: name, container: shellContainer };
    await handOver(client, target, { kubeconfig, signal });
    this.#say(`kubectl acts as ${caller.username}; k is kubectl`);
    const ended = Promise.withResolvers<string>();
    const listener = { output: (bytes: Buffer) => this.#listener.output(bytes), ended: ended.resolve };
    const wish = { target, command: shellCommand, tty: true, stdin: true };
    this.#exec = await ExecStream.open(client, wish, { listener, signal });
    if (this.#size) this.#exec.resize(...this.#size);
    this.#running.resolve(this.#exec);
    return ended.promise;
  }

  #say(words: string): void {
    this.#listener.output(Buffer.from(`\x1b[2m${printable(words)}\x1b[0m\r\n`));
  }
}

/** What a cluster says can't move the cursor, or do anything else to a terminal. */
const printable = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ').slice(0, 1000);

/** The cluster that the server runs itself has no agent that brought it. */
async function ensureNamespace(client: KubeClient, signal: AbortSignal): Promise<void> {
  if (await ignoreNotFound(client.get(namespaces, shellNamespace, { signal }))) return;
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: shellNamespace } });
  // Until it is there no pod is let in, although ours has no use for it.
  const account = { ref: serviceAccounts, name: 'default', what: `namespace ${shellNamespace} to be ready` };
  await waitForObject(client, account, {
    namespace: shellNamespace,
    timeoutMs: requestTimeoutMs,
    signal,
    wanted: found => found !== undefined,
  });
}

async function takeBack(token: AsyncDisposable, log: Log): Promise<void> {
  try {
    await token[Symbol.asyncDispose]();
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'the token of a kubectl shell could not be taken back; it ends by itself');
  }
}

async function removePod(client: KubeClient, name: string, log: Log): Promise<void> {
  try {
    await ignoreNotFound(client.delete(pods, name, { namespace: shellNamespace, gracePeriodSeconds: 0 }));
  } catch (error) {
    log.warn(
      { pod: name, reason: messageOf(error) },
      'the pod of a kubectl shell could not be removed; it is looked for later',
    );
  }
}
