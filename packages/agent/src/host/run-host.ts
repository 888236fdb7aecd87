/**
 * `drover agent host run`: the agent of one host, before and after it is a node. It holds a tunnel by which the server that it trusts,
 * and nobody else, runs what makes it a node; on a control plane it is also a way to the kube-apiserver while the cluster's own
 * agent is away.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anySignal, forbidden, type Log, messageOf } from '@drover/base';
import { serveHost } from '@drover/engine';
import { readFileIfThere } from '@drover/kube';
import { connectTunnel } from '@drover/tunnel';
import { runAgent } from '../agent.ts';
import { serverCa } from '../server-trust.ts';
import { ensureHostKey, type HostConfig, readHostConfig } from './host-config.ts';
import { followPlan, planFiles } from './host-plan.ts';
import { type HostProof, hostHeaders } from './host-proof.ts';
import { HostWork } from './host-work.ts';
import { SelfUpdate } from './self-update.ts';

/** What `host install` waits for. */
export interface HostState {
  readonly state: 'connecting' | 'registered' | 'refused';
  readonly message?: string;
}

export const stateFile = (dir: string): string => join(dir, 'state.json');
const knownFile = (dir: string): string => join(dir, 'registered');

/** Runs until the signal aborts; throws Invalid where the node command never ran here. */
export async function runHost(
  dir: string,
  context: { readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  const { log, signal } = context;
  const config = await readHostConfig(dir);
  const key = await ensureHostKey(dir);
  // Another cluster's, or another key's, is not this one.
  const mark = `${config.server} ${config.token.slice(0, 8)}\n`;
  let isKnown = (await readFileIfThere(knownFile(dir))) === mark;
  let ca: string | undefined;
  const proof = (): HostProof => ({ config, key, ca, isKnown, signal });
  const tell = (state: HostState) => writeFile(stateFile(dir), JSON.stringify(state)).catch(() => undefined);
  await tell({ state: 'connecting' });
  const roleOfNode = new NodeRole(dir, config, context);
  const work = new HostWork();
  const program = process.env['DROVER_AGENT_PROGRAM'];
  const update = program ? new SelfUpdate({ program, proof, idle: () => work.idle(), log, signal }) : undefined;
  let wake = () => {};
  const following = followPlan(dir, proof, {
    ...{ log, signal, changed: () => roleOfNode.changed() },
    offered: offer => update?.consider(offer),
    early: () =>
      new Promise(resolve => {
        wake = resolve;
      }),
  });
  await connectTunnel({
    url: `${config.server.replace(/^http/, 'ws')}/v3/connect${isKnown ? '' : '/register'}`,
    headers: async () => {
      ca = await serverCa({ caChecksum: config.caChecksum }, config.server, signal);
      return hostHeaders(proof());
    },
    tls: {
      get ca() {
        return ca;
      },
    },
    sockets: 1,
    async open({ proto, address }) {
      if (proto === 'tcp' && address === 'engine:80') return stream => void work.add(serveHost(stream));
      throw forbidden(`this host's agent does not connect to ${proto} ${address.slice(0, 100)}`);
    },
    onConnected() {
      isKnown = true;
      log.info({ server: config.server, node: config.nodeName }, 'connected');
      void writeFile(knownFile(dir), mark, { mode: 0o600 }).catch(() => undefined);
      void tell({ state: 'registered' });
      roleOfNode.changed();
      // A server that was away may be another one now, and have another agent.
      wake();
      update?.confirm().catch(error => log.warn({ reason: messageOf(error) }, 'the trial is not ended'));
    },
    onDisconnected(error) {
      if (signal.aborted) return;
      log.warn({ reason: messageOf(error) }, 'not connected');
      if (!isKnown) void tell({ state: 'refused', message: messageOf(error) });
    },
    backoff: { minMs: 500, maxMs: 15_000 },
    proxyFromEnvironment: true,
    signal,
    log,
  });
  await following;
  await roleOfNode.ended();
}

/** The part of a node's agent, for as long as the server gives what it takes. */
class NodeRole {
  readonly #dir: string;
  readonly #config: HostConfig;
  readonly #context: { readonly log: Log; readonly signal: AbortSignal };
  #running: { readonly stop: AbortController; readonly ended: Promise<void>; readonly kubeconfig: string } | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(dir: string, config: HostConfig, context: { readonly log: Log; readonly signal: AbortSignal }) {
    this.#dir = dir;
    this.#config = config;
    this.#context = context;
  }

  changed(): void {
    this.#turn = this.#turn
      .then(() => this.#look())
      .catch(error => {
        this.#context.log.warn({ reason: messageOf(error) }, 'the node’s part could not be begun');
      });
  }

  async ended(): Promise<void> {
    await this.#turn;
    await this.#running?.ended;
  }

  async #look(): Promise<void> {
    const { signal, log } = this.#context;
    const texts = await Promise.all(planFiles.map(name => readFileIfThere(join(this.#dir, name))));
    const kubeconfig = texts.every(text => text !== undefined) ? texts.join('\0') : undefined;
    if (signal.aborted || kubeconfig === this.#running?.kubeconfig) return;
    this.#running?.stop.abort(new Error('what it needs has changed'));
    await this.#running?.ended;
    this.#running = undefined;
    if (kubeconfig === undefined) return;
    const stop = new AbortController();
    const { caChecksum, serverKey, nodeName } = this.#config;
    const config = {
      credentialsDir: join(this.#dir, 'credentials'),
      caChecksum,
      serverKey,
      kubeconfig: join(this.#dir, 'kubeconfig'),
      allow: [],
      sockets: 1,
      node: nodeName,
    };
    const ended = runAgent(config, { log: log.child({ part: 'node' }), signal: anySignal(signal, stop.signal) }).catch(
      error => log.warn({ reason: messageOf(error) }, 'the node’s part has ended'),
    );
    this.#running = { stop, ended, kubeconfig };
  }
}
