/** A small answer of the server, asked for before there is a tunnel: by the environment's proxies, bounded in size and wait. */
import { Agent, request } from 'node:https';
import type { ConnectionOptions } from 'node:tls';

export interface GetTextOptions {
  readonly tls: Pick<ConnectionOptions, 'ca' | 'rejectUnauthorized'>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

/** Resolves with the status and the body; rejects when the server is silent for 10 s, or says more than `maxBytes`. */
export function getText(url: string, options: GetTextOptions): Promise<{ status: number; body: string }> {
  const { tls, maxBytes, signal } = options;
  const agent = new Agent({ ...tls, proxyEnv: process.env as Record<string, string> });
  const headers = { accept: 'application/json', ...options.headers };
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, signal, timeout: 10_000, headers }, answer => {
      const chunks: Buffer[] = [];
      let length = 0;
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if ((length += chunk.length) > maxBytes) answer.destroy(new Error('its answer is too long'));
      });
      answer.on('error', reject);
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
      });
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer within 10 s')));
    asked.on('error', reject);
    asked.end();
  });
}
