/**
 * Asks the server again and again what this host shall have for its part as the agent of its node: a way to the kube-apiserver and
 * the credentials to show. Only files that are named here are ever written.
 */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Log, messageOf, sleep } from '@drover/base';
import { readFileIfThere, writeFileAtomic } from '@drover/kube';
import { getText } from '../get-text.ts';
import { type HostProof, hostHeaders } from './host-proof.ts';

/** Below the host's folder. */
export const planFiles = ['kubeconfig', 'credentials/url', 'credentials/token'] as const;

interface NodeConfig {
  /** Base64, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly agentCheckInterval?: number;
}

const maxBytes = 1 << 20;

/** Runs until the signal aborts; `changed` is told after each change of the files. */
export async function followPlan(
  dir: string,
  proof: () => HostProof,
  { log, signal, changed }: { readonly log: Log; readonly signal: AbortSignal; readonly changed: () => void },
): Promise<void> {
  let told = '';
  while (!signal.aborted) {
    let seconds = 15;
    try {
      const plan = await ask(proof());
      if (plan) {
        seconds = Math.min(Math.max(plan.agentCheckInterval ?? 15, 1), 1800);
        if (await write(dir, plan.files ?? {})) changed();
      } else seconds = 2;
      told = '';
    } catch (error) {
      if (signal.aborted) return;
      if (messageOf(error) !== told) log.warn({ reason: messageOf(error) }, 'no plan for this host');
      told = messageOf(error);
    }
    await sleep(seconds * 1000 * (0.8 + Math.random() * 0.4), signal).catch(() => undefined);
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
