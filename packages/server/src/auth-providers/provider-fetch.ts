/**
 * Requests to a sign-in provider: its CA beside the system's, a deadline, an answer of bounded size, and no redirect
 * followed: credentials go to the host that was configured and to no other. undici is loaded with the first of them: it takes
 * memory that a server without such providers has no need of.
 */
import { getCACertificates } from 'node:tls';
import { messageOf, type Secret, unavailable } from '@drover/base';
import type { Agent } from 'undici';

export interface ProviderTls {
  /** PEM that is trusted beside the system's roots. */
  readonly ca?: string;
  /** With the CA's PEM as its certificate: shown to the provider. */
  readonly key?: Secret;
}

export interface ProviderFetchOptions extends ProviderTls {
  /** Names it in errors. */
  readonly provider: string;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
}

export type ProviderFetch = (url: string, init?: RequestInit) => Promise<Response>;

const maxAgents = 32;
/** A pool per TLS identity, the oldest ended when there are too many: configurations change rarely. */
const agents = new Map<string, Agent>();

async function agentFor({ ca, key }: ProviderTls): Promise<Agent> {
  const { Agent } = await import('undici');
  const id = `${ca ?? ''}\n${key?.reveal() ?? ''}`;
  const there = agents.get(id);
  if (there) return there;
  const connect = {
    timeout: 10_000,
    ...(ca ? { ca: [...getCACertificates('default'), ca] } : {}),
    ...(ca && key ? { cert: ca, key: key.reveal() } : {}),
  };
  const agent = new Agent({ connect, connections: 8, keepAliveTimeout: 10_000 });
  const oldest = agents.keys().next().value;
  if (agents.size >= maxAgents && oldest !== undefined) {
    void agents.get(oldest)?.close();
    agents.delete(oldest);
  }
  agents.set(id, agent);
  return agent;
}

/** Fetches as one provider is configured; throws Unavailable naming provider and host where it can't be reached. */
export function providerFetch(options: ProviderFetchOptions): ProviderFetch {
  const { provider, timeoutMs = 15_000, maxBytes = 1024 * 1024 } = options;
  return async (url, init = {}) => {
    const { host } = new URL(url);
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
    try {
      const { fetch } = await import('undici');
      const answer = await fetch(url, {
        ...(init as object),
        redirect: 'manual',
        signal,
        dispatcher: await agentFor(options),
      });
      const body = await readBounded(answer.body as ReadableStream<Uint8Array> | null, maxBytes);
      const empty = [204, 205, 304].includes(answer.status);
      const headers = [...answer.headers].filter(([name]) => !/^content-(?:encoding|length)$/i.test(name));
      return new Response(empty ? null : (body as BodyInit), { status: answer.status, headers });
    } catch (error) {
      const why = deadline.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(error);
      throw unavailable(`sign-in provider "${provider}" can't be reached at ${host}: ${why}`, { cause: error });
    }
  };
}

async function readBounded(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (body)
    for await (const chunk of body) {
      size += chunk.length;
      if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  return Buffer.concat(chunks);
}

/** Fetch hides the reason within its cause. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const code = (cause as { code?: string } | undefined)?.code;
  const text = messageOf(cause instanceof Error ? cause : error);
  return code && !text.includes(code) ? `${text || 'failed'} (${code})` : text;
}
