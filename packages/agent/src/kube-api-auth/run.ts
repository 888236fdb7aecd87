/**
 * `drover agent kube-api-auth`: the authorized endpoint's part in a cluster. Runs on each control-plane node, beside the
 * kube-apiserver that asks it, as a pod or as a plain process.
 */
import { parseArgs } from 'node:util';
import { invalid, type Log, messageOf } from '@drover/base';
import { inClusterConnection, KubeClient, loadKubeconfig, toConnection } from '@drover/kube';
import { agentVersion } from '../version.ts';
import { ClusterRecords } from './records.ts';
import { startWebhook } from './webhook.ts';

const usage = `Usage: drover agent kube-api-auth [flags]

Answers the kube-apiserver on this host, which asks who a token of Drover's stands for.

Flags:
  --listen HOST:PORT    where it is asked, on loopback (default 127.0.0.1:6440)
  --kubeconfig FILE     reach the cluster by this kubeconfig (default: the pod's service account)
  --context NAME        context of the kubeconfig (default: its current one)
`;

interface Config {
  readonly host: string;
  readonly port: number;
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Runs until the signal aborts; throws Invalid for flags that are wrong, and for a kubeconfig that can't be read. */
export async function runKubeApiAuth(
  args: readonly string[],
  { log, signal, write }: { readonly log: Log; readonly signal: AbortSignal; readonly write: (text: string) => void },
): Promise<void> {
  const config = parseConfig(args);
  if (!config) {
    write(usage);
    return;
  }
  const { kubeconfig, context, host, port } = config;
  const connection =
    kubeconfig === undefined
      ? (await inClusterConnection()).connection
      : await toConnection(await loadKubeconfig({ path: kubeconfig }), { context });
  await using kube = new KubeClient(connection, { userAgent: `kube-api-auth/${agentVersion}`, timeoutMs: 10_000 });
  const records = new ClusterRecords(kube, log);
  await using webhook = await startWebhook(records, { host, port, log });
  log.info({ host, port: webhook.port, version: agentVersion }, 'kube-api-auth is asked here');
  await records.run(signal);
}

function parseConfig(args: readonly string[]): Config | undefined {
  let given: { listen?: string; kubeconfig?: string; context?: string; help?: boolean };
  try {
    const text = { type: 'string' } as const;
    const options = { listen: text, kubeconfig: text, context: text, help: { type: 'boolean', short: 'h' } } as const;
    given = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw invalid('flags', `${messageOf(error).split('. ')[0]}; see drover agent kube-api-auth --help`);
  }
  if (given.help) return undefined;
  const listen = given.listen ?? '127.0.0.1:6440';
  const match = /^(?:\[(::1)\]|(127(?:\.\d{1,3}){3}|localhost)):(\d{1,5})$/.exec(listen);
  if (!match || Number(match[3]) > 65_535)
    throw invalid(
      '--listen',
      `"${listen}" must be HOST:PORT on loopback, such as 127.0.0.1:6440: it speaks plain HTTP`,
    );
  return { host: match[1] ?? match[2]!, port: Number(match[3]), kubeconfig: given.kubeconfig, context: given.context };
}
