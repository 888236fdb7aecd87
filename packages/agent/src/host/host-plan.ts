/**
 * Asks the server again and again what this host shall have for its part as the agent of its node: a way to the kube-apiserver and
 * the credentials to show. Only files that are named here are ever written.
 */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { anySignal, type Log, messageOf, sleep } from '@drover/base';
import type { AgentOffer } from '@drover/engine';
import { readFileIfThere, writeFileAtomic } from '@drover/kube';
import { getText } from '../get-text.ts';
import { type HostProof, hostHeaders } from './host-proof.ts';

/** Below the host's folder. */
export const planFiles = ['kubeconfig', 'credentials/url', 'credentials/token'] as const;

interface NodeConfig {
  /** Base64, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly agentCheckInterval?: number;
  readonly agent?: AgentOffer;
}

const maxBytes = 1 << 20;

export interface Following {
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told after each change of the files. */
  readonly changed: () => void;
  /** Told which agent the server has. */
  readonly offered: (offer: AgentOffer | undefined) => void;
  /** Resolves where there is a reason to ask before the time. */
  readonly early: () => Promise<void>;
}

/** Runs until the signal aborts. */
export async function followPlan(
  dir: string,
  proof: () => HostProof,
  { log, signal, changed, offered, early }: Following,
): Promise<void> {
  let told = '';
  while (!signal.aborted) {
    let seconds = 15;
    const soon = early();
    try {
      const plan = await ask(proof());
      if (plan) {
        seconds = Math.min(Math.max(plan.agentCheckInterval ?? 15, 1), 1800);
        if (await write(dir, plan.files ?? {})) changed();
        offered(plan.agent);
      } else seconds = 2;
      told = '';
    } catch (error) {
      if (signal.aborted) return;
      if (messageOf(error) !== told) log.warn({ reason: messageOf(error) }, 'no plan for this host');
      told = messageOf(error);
    }
    const rest = new AbortController();
    const time = sleep(seconds * 1000 * (0.8 + Math.random() * 0.4), anySignal(signal, rest.signal));
    await Promise.race([time.catch(() => undefined), soon]);
    rest.abort();
  }
}

/** Undefined while there is none yet. */
async function ask(proof: HostProof): Promise<NodeConfig | undefined> {
  const { config, ca, signal } = proof;
  const headers = await hostHeaders({ ...proof, isKnown: true });
  const tls = ca === undefined ? {} : { ca };
  const { status, body } = await getText(`${config.server}/v3/connect/config`, { tls, headers, maxBytes, signal });
  if (status === 503) return undefined;
  if (status !== 200) throw new Error(`the server answered ${status}: ${body.slice(0, 300)}`);
  return JSON.parse(body) as NodeConfig;
}

/** Whether anything was other than it is. */
async function write(dir: string, files: Readonly<Record<string, string>>): Promise<boolean> {
  let isChanged = false;
  for (const name of planFiles) {
    const path = join(dir, name);
    const before = await readFileIfThere(path);
    const wanted = files[name] === undefined ? undefined : Buffer.from(files[name], 'base64').toString('utf8');
    if (before === wanted) continue;
    isChanged = true;
    if (wanted === undefined) await rm(path, { force: true });
    else {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFileAtomic(path, wanted);
    }
  }
  return isChanged;
}
