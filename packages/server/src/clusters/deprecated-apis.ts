/**
 * Deprecated APIs that somebody has asked a cluster for, as its API server counts them since it started: what has to be changed before an
 * upgrade to the minor version that is without them. Asked for as the caller, who needs `get` on `/metrics` there.
 */
import { unavailable } from '@drover/base';
import { type KubeClient, LineCutter } from '@drover/kube';

export interface DeprecatedApi {
  /** As manifests have it: `apps/v1beta1`. */
  readonly apiVersion: string;
  readonly resource: string;
  /** The minor version that is without it, as `1.38`; empty where none has been named. */
  readonly removedIn: string;
}

const maxBytes = 32 << 20;
const maxLineBytes = 64 << 10;
const timeoutMs = 20_000;
const metric = 'apiserver_requested_deprecated_apis{';
const line = /^apiserver_requested_deprecated_apis\{([^}]*)\} (\S+)/gm;

/** Of all that an API server counts, which is many megabytes, nothing else is kept. */
export async function deprecatedApis(client: KubeClient): Promise<readonly DeprecatedApi[]> {
  const { body } = await client.stream('GET', '/metrics', {
    headers: { accept: 'text/plain' },
    signal: AbortSignal.timeout(timeoutMs),
  });
  const lines = new LineCutter(maxLineBytes);
  const found: string[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw unavailable(`the metrics of the cluster's API server are more than ${maxBytes} bytes`);
    for (const text of lines.cut(chunk)) if (text.startsWith(metric)) found.push(text);
  }
  return parseDeprecated(found.join('\n'));
}

/** Reads them from the metrics of an API server; what goes first comes first. */
export function parseDeprecated(metrics: string): readonly DeprecatedApi[] {
  const found = new Map<string, DeprecatedApi>();
  for (const [, labels = '', value] of metrics.matchAll(line)) {
    if (Number(value) === 0) continue;
    const of = Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text]));
    const apiVersion = of['group'] ? `${of['group']}/${of['version']}` : (of['version'] ?? '');
    const resource = of['resource'] ?? '';
    found.set(`${apiVersion} ${resource}`, { apiVersion, resource, removedIn: of['removed_release'] ?? '' });
  }
  const rank = ({ removedIn }: DeprecatedApi) => Number(/^1\.(\d+)/.exec(removedIn)?.[1] ?? 1000);
  return [...found.values()].sort((a, b) => rank(a) - rank(b) || a.resource.localeCompare(b.resource));
}
