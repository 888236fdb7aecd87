/**
 * What a server process holds in memory right after a full garbage collection, asked of V8 through its inspector, and
 * what the system says is resident. Start the server with `env: inspectable`.
 */
import { once } from 'node:events';
import type { ServerProcess } from '../server-process.ts';
import { residentMb } from './process-figures.ts';

export const inspectable = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

export interface Memory {
  /** V8's heap and the buffers that it holds on to; what OpenSSL and the C library hold is in neither. */
  readonly heapKb: number;
  readonly residentKb: number;
}

export async function memoryOf(server: ServerProcess): Promise<Memory> {
  const url = /Debugger listening on (ws:\S+)/.exec(server.output)?.[1];
  if (!url) throw new Error('the server was not started with an inspector');
  const inspector = new WebSocket(url);
  try {
    await once(inspector, 'open');
    // What finalizers of the first round let go of, the second takes.
    for (let round = 0; round < 2; round++) await ask(inspector, 'HeapProfiler.collectGarbage');
    const expression = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())';
    const answer = await ask(inspector, 'Runtime.evaluate', { expression });
    return {
      heapKb: Number(answer.result?.value) / 1024,
      residentKb: (await residentMb(server.child.pid!)) * 1024,
    };
  } finally {
    inspector.close();
  }
}

interface Answer {
  readonly result?: { readonly value?: unknown };
}

let lastId = 0;

function ask(inspector: WebSocket, method: string, params: object = {}): Promise<Answer> {
  const id = ++lastId;
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const onMessage = ({ data }: MessageEvent) => {
    const message = JSON.parse(String(data)) as { id?: number; result: Answer };
    if (message.id !== id) return;
    inspector.removeEventListener('message', onMessage);
    resolve(message.result);
  };
  inspector.addEventListener('message', onMessage);
  inspector.send(JSON.stringify({ id, method, params }));
  return promise;
}
