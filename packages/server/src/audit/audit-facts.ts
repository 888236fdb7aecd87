/** What a line of the audit log is about, in Kubernetes' words: verb, resource, where, and how it ended. Told from its method and address. */

/** A line as it was written; its form is what `record.ts` makes, but files may hold anything. */
export interface AuditLine {
  readonly auditID: string;
  readonly stage: string;
  readonly requestURI: string;
  readonly user?: { readonly name?: string };
  readonly userLoginName?: string;
  readonly method: string;
  readonly upgrade?: string;
  readonly cluster?: string;
  readonly responseCode: number;
  readonly brokenOff?: boolean;
  readonly requestTimestamp: string;
  readonly responseTimestamp: string;
}

export interface AuditFacts {
  readonly verb: string;
  readonly resource: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly cluster?: string;
  readonly outcome: Outcome;
}

export const outcomes = ['done', 'refused', 'failed'] as const;
export type Outcome = (typeof outcomes)[number];

/** Undefined for what is no line of an audit log. */
export function parseLine(text: string): AuditLine | undefined {
  try {
    const line = JSON.parse(text) as Partial<AuditLine> | null;
    const isOne =
      typeof line?.auditID === 'string' &&
      typeof line.requestURI === 'string' &&
      typeof line.method === 'string' &&
      typeof line.responseTimestamp === 'string';
    return isOne ? (line as AuditLine) : undefined;
  } catch {
    return undefined;
  }
}

const verbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** Whether it only looks. */
export const isReading = (verb: string): boolean => reading.has(verb);

const reading: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'can-i', 'who-can', 'search']);

export function factsOf(line: AuditLine): AuditFacts {
  const mark = line.requestURI.indexOf('?');
  const path = mark < 0 ? line.requestURI : line.requestURI.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : line.requestURI.slice(mark));
  const target = shellTarget(line, path, query) ?? targetOf(path.split('/').filter(Boolean).map(decode));
  const { responseCode: code } = line;
  const isRefused = code === 401 || code === 403;
  return {
    ...target,
    ...(line.cluster === undefined ? {} : { cluster: line.cluster }),
    verb: verbOf(line, query, target.name !== undefined),
    outcome: isRefused ? 'refused' : code === 0 || code >= 400 || line.brokenOff ? 'failed' : 'done',
  };
}

function verbOf({ method, upgrade }: AuditLine, query: URLSearchParams, isOne: boolean): string {
  const action = query.get('action');
  if (action && method === 'POST') return action;
  if (/^(?:1|true)$/.test(query.get('watch') ?? query.get('follow') ?? '')) return 'watch';
  if (upgrade) return 'connect';
  return verbs[method] ?? (isOne ? 'get' : 'list');
}

type Target = Pick<AuditFacts, 'resource' | 'name' | 'namespace' | 'cluster'>;

function targetOf(parts: readonly string[]): Target {
  const [first, second, third, ...rest] = parts;
  if (first === 'k8s' && (second === 'clusters' || second === 'proxy') && third !== undefined)
    return { ...kubeTarget(rest), cluster: third };
  if (first === 'v3' && (second === 'cluster' || second === 'clusters') && third !== undefined && rest.length > 0)
    return { ...plainTarget(rest), cluster: third };
  if (first === 'v3' && second === 'project' && third !== undefined)
    return { ...plainTarget(rest), cluster: third.split(':')[0] };
  if (first === 'v3' || first === 'v3-public' || first === 'v1') return plainTarget(parts.slice(1));
  return { resource: first ?? '' };
}

/** A kubectl shell, by either of its doors. */
function shellTarget({ upgrade }: AuditLine, path: string, query: URLSearchParams): Target | undefined {
  if (!upgrade || query.get('shell') !== 'true') return undefined;
  const id = path === '/v1-terminals' ? query.get('clusterId') : /^\/v3\/clusters?\/([^/]+)\/?$/i.exec(path)?.[1];
  return id ? { resource: 'clusters/shell', name: decode(id), cluster: decode(id) } : undefined;
}

/** A collection, then perhaps a namespace, a name, and what is below it. */
function plainTarget(parts: readonly string[]): Target {
  const [resource = '', ...names] = parts.map(part => part.toLowerCase());
  if (names.length === 0) return { resource };
  const [namespace, name] = names.length > 1 ? names : [undefined, names[0]];
  return { resource, ...(name ? { name } : {}), ...(namespace ? { namespace } : {}) };
}

/** Below a cluster: its own API, or the lists of `/v1`. */
function kubeTarget(parts: readonly string[]): Target {
  const [root, ...rest] = parts;
  if (root === 'v1') return plainTarget(rest);
  const inApi = root === 'api' ? rest.slice(1) : root === 'apis' ? rest.slice(2) : undefined;
  if (!inApi) return { resource: root ?? '' };
  const inNamespace = inApi[0] === 'namespaces' && inApi.length > 2;
  const [resource = '', name, subresource] = inNamespace ? inApi.slice(2) : inApi;
  return {
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    ...(name === undefined ? {} : { name }),
    ...(inNamespace ? { namespace: inApi[1] } : {}),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
