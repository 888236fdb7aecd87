/**
 * A process that is many agents at once: each dials the server with a registration token of its own and keeps its tunnel.
 * Reads `{ url, ca, tokens }` as JSON from stdin, prints the number of agents connected whenever it changes.
 */
import { randomUUID } from 'node:crypto';
import { json } from 'node:stream/consumers';
import { silentLog, unavailable } from '@drover/base';
import { connectTunnel } from '@drover/tunnel';

interface Crowd {
  readonly url: string;
  readonly ca: string;
  readonly tokens: readonly string[];
}

const { url, ca, tokens } = (await json(process.stdin)) as Crowd;
const there = new Set<string>();
let told = -1;
setInterval(() => {
  if (there.size === told) return;
  told = there.size;
  console.log(String(told));
}, 100);

for (const token of tokens) {
  const agent = { version: 'bench', clusterUid: randomUUID(), kubernetesVersion: 'v1.36.3' };
  const params = Buffer.from(JSON.stringify({ agent })).toString('base64');
  void connectTunnel({
    url: `${url.replace(/^https/, 'wss')}/v3/connect`,
    headers: () => ({ 'X-API-Tunnel-Token': token, 'X-API-Tunnel-Params': params }),
    tls: { ca },
    // No cluster stands behind it.
    open: () => Promise.reject(unavailable('this agent is one of a crowd and has no cluster')),
    onConnected: () => void there.add(token),
    onDisconnected: () => void there.delete(token),
    signal: new AbortController().signal,
    log: silentLog,
  });
}
