/** Liveness, readiness and the small fixed answers that clients and load balancers probe. */
import type { ServerResponse } from 'node:http';
import { messageOf } from '@drover/base';
import type { Exchange, Route } from './exchange.ts';

/** Throws with the reason while it is not well. */
export type HealthCheck = () => void | Promise<void>;

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  const headers = {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
  };
  response.writeHead(status, headers).end(response.req.method === 'HEAD' ? undefined : text);
}

const fixed = (prefix: string, answer: (exchange: Exchange) => void | Promise<void>): Route => ({
  prefix,
  signIn: 'none',
  errors: 'norman',
  handle: async exchange => answer(exchange),
});

/** /ping, /healthz, /readyz (with ?verbose the checks one by one) and /rancherversion, which clients of the API ask for. */
export function healthRoutes(checks: Readonly<Record<string, HealthCheck>>, version: string): Route[] {
  return [
    fixed('/ping', ({ response }) => sendText(response, 200, 'pong')),
    fixed('/healthz', ({ response }) => sendText(response, 200, 'ok')),
    fixed('/readyz', async ({ response, query }) => {
      const results = await Promise.all(Object.entries(checks).map(([name, check]) => run(name, check)));
      const ok = results.every(result => result.ok);
      const verbose = query.has('verbose') || !ok;
      const lines = results.map(
        result => `[${result.ok ? '+' : '-'}]${result.name} ${result.ok ? 'ok' : `failed: ${result.reason}`}`,
      );
      sendText(response, ok ? 200 : 503, verbose ? `${lines.join('\n')}\n${ok ? 'ready' : 'not ready'}\n` : 'ok');
    }),
    fixed('/rancherversion', ({ response }) =>
      sendText(
        response,
        200,
        JSON.stringify({ Version: version, GitCommit: '', RancherPrime: 'false' }),
        'application/json',
      ),
    ),
  ];
}

async function run(name: string, check: HealthCheck): Promise<{ name: string; ok: boolean; reason?: string }> {
  try {
    await check();
    return { name, ok: true };
  } catch (error) {
    return { name, ok: false, reason: messageOf(error) };
  }
}
