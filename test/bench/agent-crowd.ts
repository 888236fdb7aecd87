/**
 * A process that is many agents at once, each with a registration token of its own. With a kubeconfig they are whole
 * agents of that cluster, all of the same one; without, each only dials and keeps a tunnel with nothing behind it.
 * Reads a Crowd as JSON from stdin, prints the number of tunnels whenever it changes.
 */
import { json } from 'node:stream/consumers';
import { runAgent } from '@drover/agent';
import { Secret, silentLog, unavailable } from '@drover/base';
import { connectTunnel } from '@drover/tunnel';

export interface Crowd {
  readonly url: string;
  readonly ca: string;
  readonly caFile: string;
  readonly tokens: readonly string[];
  /** As an agent would find it in the cluster, for those that have none. */
  readonly clusterUid: string;
  readonly kubeconfig?: string;
}

async function main(): Promise<void> {
  const crowd = (await json(process.stdin)) as Crowd;
  const signal = new AbortController().signal;
  if (crowd.kubeconfig) {
    const { url: server, caFile, kubeconfig } = crowd;
    const config = { server, caFile, kubeconfig, credentialsDir: '', allow: [], sockets: 2 };
    for (const token of crowd.tokens)
      void runAgent({ ...config, token: new Secret(token) }, { log: silentLog, signal });
    return;
  }
  keepTunnels(crowd, signal);
}

function keepTunnels({ url, ca, tokens, clusterUid }: Crowd, signal: AbortSignal): void {
  const there = new Set<string>();
  let told = -1;
  setInterval(() => {
    if (there.size === told) return;
    told = there.size;
    console.log(String(told));
  }, 100);
  const agent = { version: 'bench', clusterUid, kubernetesVersion: 'v1.36.3' };
  const params = Buffer.from(JSON.stringify({ agent })).toString('base64');
  for (const token of tokens) {
    void connectTunnel({
      url: `${url.replace(/^https/, 'wss')}/v3/connect`,
      headers: () => ({ 'X-API-Tunnel-Token': token, 'X-API-Tunnel-Params': params }),
      tls: { ca },
      open: () => Promise.reject(unavailable('this agent is one of a crowd and has no cluster')),
      onConnected: () => void there.add(token),
      onDisconnected: () => void there.delete(token),
      signal,
      log: silentLog,
    });
  }
}

await main();
