/**
 * One end of our tunnel as a process of its own, doing the same work as tools/remotedialer-peer: `server` makes load on
 * GET /load, `client URL` dials what it is asked for. Prints "listening HOST:PORT" or "connected".
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { silentLog } from '@drover/base';
import { addressOf, connectTunnel, TunnelServer } from '@drover/tunnel';

const answerBytes = 1024;
const question = 'GET /api/v1/namespaces/default/pods and a header or two, 100 bytes or so with all of it together\n';

interface Tally {
  done: number;
  failed: number;
}

/** Resolves when `bytes` more have come; counts without keeping them. */
function reader(stream: Duplex): (bytes: number) => Promise<void> {
  let have = 0;
  let want = 0;
  let resolve: (() => void) | undefined;
  let reject: ((error: Error) => void) | undefined;
  const check = () => {
    if (!resolve || have < want) return;
    have -= want;
    resolve();
    resolve = undefined;
  };
  stream.on('data', (chunk: Buffer) => {
    have += chunk.length;
    check();
  });
  stream.on('error', error => reject?.(error));
  stream.on('end', () => reject?.(new Error('ended early')));
  return bytes =>
    new Promise((onDone, onError) => {
      want = bytes;
      resolve = onDone;
      reject = onError;
      check();
    });
}

const held: Duplex[] = [];

async function work(kind: string, dial: () => Promise<Duplex>, load: { until: number; bytes: number }, tally: Tally) {
  if (kind === 'short') {
    while (performance.now() < load.until) {
      try {
        const stream = await dial();
        const read = reader(stream);
        stream.write(`rr ${answerBytes}\nask\n`);
        await read(answerBytes);
        stream.destroy();
        tally.done++;
      } catch {
        tally.failed++;
      }
    }
    return;
  }
  const stream = await dial();
  const read = reader(stream);
  if (kind === 'kept') {
    stream.write(`rr ${answerBytes}\n`);
    while (performance.now() < load.until) {
      stream.write(question);
      await read(answerBytes);
      tally.done++;
    }
  } else if (kind === 'bulk') {
    stream.write(`source ${load.bytes}\n`);
    await read(load.bytes);
    tally.done += load.bytes;
  } else {
    stream.write('echo\nx');
    await read(1);
    tally.done++;
    held.push(stream);
    return;
  }
  stream.destroy();
}

async function runServer(): Promise<void> {
  const tunnel = new TunnelServer({ log: silentLog });
  const http = createServer(async (request, response) => {
    const query = new URL(request.url!, 'http://localhost').searchParams;
    const number = (name: string) => Number(query.get(name) ?? 0);
    const address = addressOf({ proto: 'tcp', address: query.get('address')! });
    const dial = () => tunnel.dialer(query.get('key')!)(address);
    const tally: Tally = { done: 0, failed: 0 };
    const start = performance.now();
    const load = { until: start + number('ms'), bytes: number('bytes') };
    const workers = Array.from({ length: number('connections') }, () => work(query.get('kind')!, dial, load, tally));
    for (const settled of await Promise.allSettled(workers)) if (settled.status === 'rejected') tally.failed++;
    response.end(JSON.stringify({ ...tally, ms: performance.now() - start }));
  });
  http.on('upgrade', (request, socket, head) => {
    tunnel.accept(request, socket, head, { clientKey: String(request.headers['x-key']) }).catch(() => socket.destroy());
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  console.log(`listening 127.0.0.1:${(http.address() as AddressInfo).port}`);
}

async function runClient(url: string): Promise<void> {
  await connectTunnel({
    url,
    headers: () => ({ 'X-Key': 'c-one' }),
    open: async target => {
      const socket = connect({ ...addressOf(target), noDelay: true });
      await once(socket, 'connect');
      return socket;
    },
    onConnected: () => console.log('connected'),
    signal: new AbortController().signal,
    log: silentLog,
  });
}

const [what, url] = process.argv.slice(2);
await (what === 'server' ? runServer() : runClient(url!));
