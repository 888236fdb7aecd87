/**
 * What a cluster's agent sees from where it stands: DNS, the certificates that it is shown, proxies, its kube-apiserver. Asked
 * of the agent itself through its tunnel; what it answers is bounded and shown as text, since agents are not trusted.
 */
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { methodNotAllowed, timedOut, unavailable } from '@drover/base';
import type { Upstream } from './upstream.ts';

interface AgentFinding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface AgentView {
  readonly agentVersion: string;
  /** How far the agent's clock is ahead of this server's; negative: behind. */
  readonly clockAheadMs: number;
  readonly findings: readonly AgentFinding[];
}

const maxBytes = 64 * 1024;
const maxFindings = 32;
/** The agent's own checks take up to 10 s. */
const timeoutMs = 15_000;

/** Throws MethodNotAllowed where no agent of ours is, ServiceUnavailable or Timeout where it does not answer. */
export async function askAgent(upstream: Upstream): Promise<AgentView> {
  const { clusterId, dialer, kind } = upstream;
  if (kind !== 'agent' || !dialer)
    throw methodNotAllowed('doctor', `cluster "${clusterId}", which has no agent of ours`);
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(timedOut(`the agent of cluster "${clusterId}" did not answer within ${timeoutMs / 1000} s`)),
    timeoutMs,
  );
  try {
    const stream = await dialer({ host: 'agent', port: 80 }, { signal: late.signal });
    const started = Date.now();
    const text = await getText(stream, late.signal);
    return parseView(clusterId, text, (started + Date.now()) / 2);
  } finally {
    clearTimeout(timer);
  }
}

function getText(stream: Duplex, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const settle = (error: unknown, text = '') => {
      signal.removeEventListener('abort', onAbort);
      stream.on('error', () => {}).destroy();
      if (error === undefined) resolve(text);
      else reject(error);
    };
    const onAbort = () => settle(signal.reason);
    const failed = (cause: unknown) => settle(unavailable('the agent cut its answer short', { cause }));
    signal.addEventListener('abort', onAbort, { once: true });
    const sent = request({ path: '/doctor', headers: { host: 'agent' }, createConnection: () => stream });
    sent.on('error', failed);
    sent.on('response', response => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('error', failed);
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxBytes) settle(unavailable(`the agent answers more than ${maxBytes} bytes`));
        else chunks.push(chunk);
      });
      response.on('end', () => settle(undefined, Buffer.concat(chunks).toString('utf8')));
    });
    sent.end();
  });
}

/** Reads what an agent answered at `nowMs`; throws ServiceUnavailable for what is none of ours. */
export function parseView(clusterId: string, text: string, nowMs: number): AgentView {
  let told: Record<string, unknown> | undefined;
  try {
    told = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Told below, with the rest of what it may be instead.
  }
  const findings = told?.['findings'];
  const time = Date.parse(String(told?.['time']));
  if (!told || !Array.isArray(findings) || Number.isNaN(time))
    throw unavailable(`the agent of cluster "${clusterId}" does not tell what it sees; is it older than this server?`);
  return {
    agentVersion: shown(told['version'], 40),
    clockAheadMs: Math.round(time - nowMs),
    findings: findings.slice(0, maxFindings).map((one: Partial<AgentFinding> | null) => ({
      check: shown(one?.check, 40),
      ok: one?.ok === true,
      detail: shown(one?.detail, 1000),
    })),
  };
}

const shown = (value: unknown, max: number) =>
  String(value ?? '')
    .slice(0, max)
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
