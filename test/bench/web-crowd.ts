/**
 * As many browsers as an office has, each with a list open: its subscriptions, and the rows that it asks for again whenever it is told.
 * They are clients of the same wire without the drawing, so that one machine can be all of them.
 */
import { once } from 'node:events';
import { sleep } from '@drover/base';
import { WebSocket } from 'ws';
import type { ServerProcess } from '../server-process.ts';

/** As `packages/web/src/net/live.ts` asks for it. */
const debounceMs = 400;
const listed =
  'sort=metadata.name&page=1&pagesize=100&' +
  ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'state', 'fields', 'labels']
    .map(part => `include=metadata.${part}`)
    .join('&');

export interface CrowdOptions {
  readonly server: ServerProcess;
  readonly clusterId: string;
  /** One each for as many browsers as there are. */
  readonly tokens: readonly string[];
  /** The object that changes, of the first page, and how to give it so many entries. */
  readonly name: string;
  readonly change: (entries: number) => Promise<void>;
}

/** How long it took from a change until each browser had the rows that show it. */
export async function crowdLags(
  { server, clusterId, tokens, name, change }: CrowdOptions,
  rounds: number,
): Promise<readonly number[]> {
  const root = `/k8s/clusters/${clusterId}/v1`;
  const lags: number[] = [];
  let current:
    | { readonly entries: number; readonly from: number; waiting: number; readonly over: () => void }
    | undefined;
  const sockets: WebSocket[] = [];
  using _ = { [Symbol.dispose]: () => void sockets.map(socket => socket.terminate()) };
  const open = async (path: string, token: string, types: readonly string[]): Promise<WebSocket> => {
    const socket = new WebSocket(`${server.url.replace('https', 'wss')}${path}`, {
      ca: server.ca,
      headers: { authorization: `Bearer ${token}` },
    });
    sockets.push(socket);
    await once(socket, 'open');
    for (const resourceType of types)
      socket.send(JSON.stringify({ resourceType, mode: 'resource.changes', debounceMs }));
    return socket;
  };
  for (const token of tokens) {
    await open('/v1/subscribe', token, ['management.cattle.io.cluster']);
    const socket = await open(`${root}/subscribe`, token, ['configmap', 'pod', 'event']);
    let seen = 0;
    let isAsking = false;
    let isStale = false;
    const ask = async (): Promise<void> => {
      isStale = true;
      if (isAsking) return;
      isAsking = true;
      while (isStale) {
        isStale = false;
        const { body } = await server.fetch('GET', `${root}/configmaps?${listed}`, { token });
        const row = body.data.find((one: { metadata: { name: string } }) => one.metadata.name === name);
        if (!current || seen === current.entries || Number(row?.metadata.fields[1]) !== current.entries) continue;
        seen = current.entries;
        lags.push(performance.now() - current.from);
        if (--current.waiting === 0) current.over();
      }
      isAsking = false;
    };
    socket.on('message', data => {
      const frame = JSON.parse(String(data)) as { name: string; resourceType?: string };
      if (frame.name === 'resource.changes' && frame.resourceType === 'configmap') void ask();
    });
  }
  for (let round = 0; round < rounds; round++) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entries = 1 + ((round + 7) % 30);
    current = { entries, from: performance.now(), waiting: tokens.length, over: resolve };
    const timer = setTimeout(() => reject(new Error(`${current?.waiting} browsers were not told within 30 s`)), 30_000);
    await change(entries);
    await promise;
    clearTimeout(timer);
    await sleep(300 + Math.random() * 400);
  }
  return lags.sort((a, b) => a - b);
}
