/**
 * What the agent sees from where it stands: DNS, the TLS chain that it is shown, the clock, proxies, the cluster's API.
 * The server asks for it through the tunnel, so that one command shows both ends.
 */
import { lookup } from 'node:dns/promises';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { messageOf } from '@drover/base';
import type { KubeClient } from '@drover/kube';

export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface DoctorSubject {
  /** Origin of the server's URL. */
  readonly server: string;
  readonly ca?: string;
  readonly kube: KubeClient;
  readonly env?: NodeJS.ProcessEnv;
}

const timeoutMs = 5000;

/** Every check by itself: one that fails says why and stops no other. */
export async function examine(subject: DoctorSubject): Promise<Finding[]> {
  const { hostname, port } = new URL(subject.server);
  return Promise.all([
    finding('dns', async () => {
      const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true });
      return `${hostname} is ${found.map(({ address }) => address).join(', ')}`;
    }),
    finding('tls', () => chainOf(hostname, Number(port) || 443, subject.ca)),
    finding('clock', async () => `it is ${new Date().toISOString()} here`),
    finding('proxy', async () => proxiesOf(subject.env ?? process.env)),
    finding('kube-apiserver', async () => {
      const started = performance.now();
      const { gitVersion } = await subject.kube.version({ signal: AbortSignal.timeout(timeoutMs) });
      return `${gitVersion}, answers in ${Math.round(performance.now() - started)} ms`;
    }),
  ]);
}

async function finding(check: string, run: () => Promise<string>): Promise<Finding> {
  try {
    return { check, ok: true, detail: await run() };
  } catch (error) {
    return { check, ok: false, detail: messageOf(error) };
  }
}

function chainOf(hostname: string, port: number, ca: string | undefined): Promise<string> {
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      ca,
      servername: /^[0-9.:]+$/.test(host) ? undefined : host,
      timeout: timeoutMs,
    });
    socket.once('secureConnect', () => {
      const chain: string[] = [];
      let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
      for (let depth = 0; certificate?.subject && depth < 8; depth++) {
        chain.push(`${certificate.subject.CN ?? certificate.subject.O} (until ${certificate.valid_to})`);
        if (certificate.issuerCertificate === certificate) break;
        certificate = certificate.issuerCertificate;
      }
      const protocol = socket.getProtocol();
      socket.destroy();
      resolve(`${protocol}: ${chain.join(' ← ')}`);
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    socket.once('error', reject);
  });
}

/** Without what such a URL may carry of credentials. */
function proxiesOf(env: NodeJS.ProcessEnv): string {
  const set = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].filter(name => env[name]);
  const noProxy = env['NO_PROXY'] ?? env['no_proxy'];
  if (set.length === 0) return 'none';
  const shown = set.map(name => `${name}=${URL.canParse(env[name]!) ? new URL(env[name]!).host : '(not a URL)'}`);
  return [...shown, ...(noProxy ? [`NO_PROXY=${noProxy}`] : [])].join(' ');
}
