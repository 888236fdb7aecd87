/**
 * Bytes sent at the reader's pace: as much as the connection takes, then no more until it has. Whoever reads slowly, or never, costs
 * one piece of the body and not the whole of it, which many may share.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

const pieceBytes = 256 << 10;

/** Writes the body and ends the answer, whose head has been written. Resolves when it is sent, or the reader is gone. */
export async function sendBytes(response: ServerResponse, body: Buffer): Promise<void> {
  let at = 0;
  for (; body.length - at > pieceBytes; at += pieceBytes) {
    if (response.destroyed || response.closed) return;
    if (!response.write(body.subarray(at, at + pieceBytes))) await drained(response);
  }
  response.end(at === 0 ? body : body.subarray(at));
}

async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed || response.closed) return;
  const over = new AbortController();
  const { signal } = over;
  try {
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
  } catch {
    // A connection that broke says so by 'close' as well: whoever sends looks before he goes on.
  } finally {
    over.abort();
  }
}
