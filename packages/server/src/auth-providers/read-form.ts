/** The body of a form that a browser posts: bounded in size and time, read whole since signatures are over all of it. */
import type { IncomingMessage } from 'node:http';
import { badRequest, timedOut, tooLarge } from '@drover/base';

export interface FormBounds {
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
}

/** Throws RequestEntityTooLarge, Timeout, or BadRequest for a body that is no form. */
export async function readForm(request: IncomingMessage, bounds: FormBounds = {}): Promise<URLSearchParams> {
  const { maxBytes = 1024 * 1024, timeoutMs = 10_000 } = bounds;
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/x-www-form-urlencoded\b/i.test(type)) throw badRequest('the body must be a form');
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(
    () => request.destroy(timedOut(`the form did not arrive within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(`the form must have at most ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
