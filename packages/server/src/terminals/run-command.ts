/** A command in a container that is given something to read and answers something, without a terminal; both as streams. */
import { Readable } from 'node:stream';
import { StatusError, unavailable } from '@drover/base';
import type { KubeClient } from '@drover/kube';
import type { ContainerTarget } from './container-target.ts';
import { ExecStream } from './exec-stream.ts';

export interface Running {
  /** What it writes; fails with what it wrote to its stderr where it ended badly. */
  readonly output: Readable;
  readonly stream: ExecStream;
}

const mostErrorBytes = 4096;

export async function runCommand(
  client: KubeClient,
  target: ContainerTarget,
  {
    command,
    stdin = false,
    signal,
  }: { readonly command: readonly string[]; readonly stdin?: boolean; readonly signal: AbortSignal },
): Promise<Running> {
  let said = '';
  const held: { stream?: ExecStream } = {};
  const output = new Readable({ read: () => held.stream?.resume(), highWaterMark: 1 << 20 });
  const stream = await ExecStream.open(
    client,
    { target, command, tty: false, stdin },
    {
      signal,
      listener: {
        output(bytes, channel) {
          if (channel === 'stderr') said = (said + bytes.toString('utf8')).slice(0, mostErrorBytes);
          else if (!output.push(bytes)) held.stream?.pause();
        },
        ended(why) {
          if (why === '' && !signal.aborted) output.push(null);
          else output.destroy(signal.aborted ? (signal.reason as Error) : failure(said, why));
        },
      },
    },
  );
  held.stream = stream;
  output.once('close', () => stream.close());
  return { output, stream };
}

/** In the words of the command, else of the cluster. */
function failure(said: string, why: string): StatusError {
  const text = said.trim() || why;
  const [status, reason] = /no such file|not found|can't cd/i.test(text)
    ? ([404, 'NotFound'] as const)
    : /permission denied|read-only/i.test(text)
      ? ([403, 'Forbidden'] as const)
      : /executable file/i.test(text)
        ? ([422, 'Invalid'] as const)
        : ([503, 'ServiceUnavailable'] as const);
  return status === 503 ? unavailable(text) : new StatusError(status, reason, text);
}

/** All that a short command writes. */
export async function outputOf({ output }: Running, most: number): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of output as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > most) throw unavailable('it writes more than is wanted');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
