/**
 * Which cluster `drover up` manages from the start: what the flag says; else what an earlier start decided; else the
 * kubeconfig's current cluster where it answers (asked first on a terminal), and otherwise one of our own.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { invalid, messageOf } from '@drover/base';
import { type Connection, findContext, KubeClient, loadKubeconfig, toConnection, writeFileAtomic } from '@drover/kube';
import type { ClusterChoice } from '../config.ts';

export type Decision =
  | { readonly type: 'local' | 'control-plane' | 'none' }
  | { readonly type: 'context'; readonly context: string; readonly connection: Connection };

export interface ChoiceOptions {
  readonly dataDir: string;
  /** Asks yes or no; absent where there is no terminal. */
  readonly ask?: (question: string) => Promise<boolean>;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

const remembered = 'cluster.json';
const reachMs = 3_000;

/** Decides, and remembers what `auto` came to, so that starting again finds everything as it was. */
export async function decideCluster(choice: ClusterChoice, options: ChoiceOptions): Promise<Decision> {
  if (choice.type === 'context') return requireContext(choice.context);
  if (choice.type !== 'auto') return { type: choice.type };
  const before = await recall(options.dataDir);
  if (before === 'local') return { type: 'local' };
  if (before !== undefined) return requireContext(before);
  const found = await reachableContext(options);
  const taken = found && (await agreed(found.context, options)) ? found : undefined;
  await writeFileAtomic(join(options.dataDir, remembered), JSON.stringify({ context: taken?.context }), 0o600);
  return taken ?? { type: 'local' };
}

async function agreed(context: string, { ask, say }: ChoiceOptions): Promise<boolean> {
  if (ask) return ask(`Your kubeconfig's cluster "${context}" answers. Manage it with this server?`);
  say(`managing the kubeconfig's cluster "${context}" (--cluster local starts one of our own instead)`);
  return true;
}

async function recall(dataDir: string): Promise<string | 'local' | undefined> {
  const text = await readFile(join(dataDir, remembered), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return (JSON.parse(text) as { context?: string }).context ?? 'local';
  } catch (cause) {
    throw invalid(
      '--data-dir',
      `${join(dataDir, remembered)} is damaged (${messageOf(cause)}); remove it, or give --cluster`,
    );
  }
}

async function requireContext(name: string): Promise<Decision> {
  const config = await loadKubeconfig();
  const { name: context } = findContext(config, name);
  return { type: 'context', context, connection: await toConnection(config, { context }) };
}

/** The current context, where there is one and its server answers us as somebody. */
async function reachableContext({
  say,
  signal,
}: ChoiceOptions): Promise<Extract<Decision, { type: 'context' }> | undefined> {
  try {
    const config = await loadKubeconfig();
    const { name: context } = findContext(config);
    const connection = await toConnection(config, { context });
    await using client = new KubeClient(connection, { timeoutMs: reachMs });
    await client.request('GET', '/version', { signal });
    return { type: 'context', context, connection };
  } catch (error) {
    if (signal?.aborted) throw error;
    if (process.env['KUBECONFIG']) say(`the kubeconfig's cluster is not used: ${messageOf(error)}`);
    return undefined;
  }
}

/** Asks on the terminal, or is undefined where there is none. */
export function terminalAsk(): ChoiceOptions['ask'] {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  return async question => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return /^(y|yes|j|是)?$/i.test((await lines.question(`${question} [Y/n] `)).trim());
    } finally {
      lines.close();
    }
  };
}
