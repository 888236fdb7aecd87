/** A body as JSON, sent whole. */
import type { ServerResponse } from 'node:http';

/** What must be in nobody's cache. */
export const noStore = { 'cache-control': 'no-store' } as const;

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string | number>> = {},
): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers })
    .end(text);
}
