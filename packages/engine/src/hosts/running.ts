/** A command that runs on a host, however it was started: fed, listened to, and ended when its time is over. */
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { timedOut } from '@drover/base';
import type { RunOptions, RunResult } from './executor.ts';

export interface Running {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Its exit code once all it said has been said; rejects with ServiceUnavailable where the host is lost before that. */
  readonly ended: Promise<number>;
  /** Ends it and what it started; never rejects. */
  kill(): Promise<void>;
}

const mostOutput = 4 * 1024 * 1024;

/** Feeds it and gathers what it says, to its end or to the deadline. `what` names it in errors. */
export async function collect(running: Running, what: string, options: RunOptions): Promise<RunResult> {
  const { stdin, timeoutMs = 60_000, signal, onOutput } = options;
  const out = listen(running.stdout, onOutput);
  const err = listen(running.stderr, onOutput);
  const failed = Promise.withResolvers<never>();
  const timer = setTimeout(() => failed.reject(timedOut(`${what} has not ended within ${timeoutMs} ms`)), timeoutMs);
  const onAbort = () => failed.reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  // A command that ends early takes no more; its exit code says why.
  feed(running.stdin, stdin).catch(error => {
    if (!isClosed(error)) failed.reject(error);
  });
  try {
    const code = await Promise.race([running.ended, failed.promise]);
    return { code, stdout: out.text(), stderr: err.text() };
  } catch (error) {
    await running.kill();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

async function feed(target: Writable, content: RunOptions['stdin']): Promise<void> {
  if (content === undefined) target.end();
  else if (typeof content === 'string' || content instanceof Uint8Array) target.end(content);
  else await pipeline(content, target);
}

function isClosed(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'].includes(code);
}

/** Keeps the last of what is said. */
function listen(stream: Readable, onOutput: RunOptions['onOutput']): { text(): string } {
  const decoder = new StringDecoder();
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    while (bytes - chunks[0]!.length > mostOutput) bytes -= chunks.shift()!.length;
    onOutput?.(decoder.write(chunk));
  });
  return { text: () => Buffer.concat(chunks).subarray(-mostOutput).toString() };
}
