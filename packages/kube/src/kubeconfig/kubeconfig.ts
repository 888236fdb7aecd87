/**
 * A kubeconfig as data: parsed, checked, several merged as kubectl merges them. Every entry remembers the file that it
 * came from, since paths in it are relative to that file. What a file says wrong is told with file, entry and what
 * would be right, never with the text around it, which may be a key.
 */
import { dirname, isAbsolute, join } from 'node:path';
import { invalid } from '@drover/base';

export interface ClusterEntry {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
  readonly 'proxy-url'?: string;
  readonly extensions?: readonly { readonly name: string; readonly extension: unknown }[];
}

export interface ExecEntry {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: 'Never' | 'IfAvailable' | 'Always';
}

export interface UserEntry {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly as?: string;
  readonly 'as-uid'?: string;
  readonly 'as-groups'?: readonly string[];
  readonly 'as-user-extra'?: Readonly<Record<string, readonly string[]>>;
  readonly exec?: ExecEntry;
  readonly 'auth-provider'?: { readonly name?: string };
}

export interface ContextEntry {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

export interface Named<T> {
  readonly name: string;
  readonly value: T;
  /** The file that it came from; undefined for text that is in no file. */
  readonly path?: string;
}

export interface Kubeconfig {
  /** The files that it was read from, for messages. */
  readonly paths: readonly string[];
  readonly currentContext?: string;
  readonly clusters: readonly Named<ClusterEntry>[];
  readonly users: readonly Named<UserEntry>[];
  readonly contexts: readonly Named<ContextEntry>[];
}

/** Parses one kubeconfig. Throws Invalid naming the file, the line or entry, and what would be right. */
export async function parseKubeconfig(text: string, path?: string): Promise<Kubeconfig> {
  const source = path ?? 'kubeconfig';
  const root = await parseYaml(text, source);
  if (root === null || root === undefined) return { paths: path ? [path] : [], clusters: [], users: [], contexts: [] };
  if (!isMap(root)) throw invalid(source, 'must be a kubeconfig: a YAML map with clusters, users and contexts');
  const { apiVersion, kind, 'current-context': current } = root;
  if (kind !== undefined && kind !== 'Config')
    throw invalid(`${source}: kind`, `must be Config, not ${JSON.stringify(kind)}`);
  if (apiVersion !== undefined && apiVersion !== 'v1') throw invalid(`${source}: apiVersion`, 'must be v1');
  if (current !== undefined && current !== null && typeof current !== 'string') {
    throw invalid(`${source}: current-context`, 'must be the name of a context');
  }
  return {
    paths: path ? [path] : [],
    currentContext: current || undefined,
    clusters: entries(root, 'cluster', path),
    users: entries(root, 'user', path),
    contexts: entries(root, 'context', path),
  };
}

/** Several kubeconfigs as one: for each name, and for the current context, the first that says something wins. */
export function mergeKubeconfigs(configs: readonly Kubeconfig[]): Kubeconfig {
  return {
    paths: configs.flatMap(config => config.paths),
    currentContext: configs.find(config => config.currentContext)?.currentContext,
    clusters: firstOfEachName(configs.flatMap(config => config.clusters)),
    users: firstOfEachName(configs.flatMap(config => config.users)),
    contexts: firstOfEachName(configs.flatMap(config => config.contexts)),
  };
}

/** How messages call the file or files of this config. */
export function sourceOf({ paths }: Kubeconfig): string {
  return paths.length > 0 ? paths.join(', ') : 'the kubeconfig';
}

/** A path in an entry, seen from the directory of the entry's file. */
export function resolveFrom({ path }: Named<unknown>, file: string): string {
  return isAbsolute(file) || path === undefined ? file : join(dirname(path), file);
}

async function parseYaml(text: string, source: string): Promise<unknown> {
  const { parseDocument, LineCounter } = await import('yaml');
  const lineCounter = new LineCounter();
  // Pretty errors quote the source, and the source holds keys.
  const document = parseDocument(text, { prettyErrors: false, lineCounter });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw invalid(`${source}: line ${line}, column ${col}`, `must be valid YAML (${error.code})`);
  }
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    throw invalid(source, 'must not be made of more than 100 aliases');
  }
}

function entries<T>(root: Record<string, unknown>, one: string, path: string | undefined): Named<T>[] {
  const list = `${one}s`;
  const source = path ? `${path}: ${list}` : list;
  const found = root[list] ?? [];
  if (!Array.isArray(found)) throw invalid(source, `must be a list of entries with name and ${one}`);
  const seen = new Set<string>();
  return found.map((entry: unknown, index) => {
    const at = `${source}[${index}]`;
    if (!isMap(entry)) throw invalid(at, `must be a map with name and ${one}`);
    const { name, [one]: value } = entry;
    if (typeof name !== 'string' || name === '') throw invalid(`${at}.name`, 'must be a name');
    if (seen.has(name)) throw invalid(`${at}.name`, `"${name}" is there twice; names must differ`);
    seen.add(name);
    if (value !== undefined && value !== null && !isMap(value)) throw invalid(`${at}.${one}`, 'must be a map');
    const settings = value ?? {};
    checkTexts(settings, `${source} "${name}"`);
    return { name, value: settings as T, path };
  });
}

const lists = new Set(['as-groups', 'extensions']);
const maps = new Set(['exec', 'auth-provider', 'as-user-extra']);

/** Fields are text but for the few that are not: a token of digits that YAML took for a number must be quoted. */
function checkTexts(settings: Record<string, unknown>, source: string): void {
  for (const [field, value] of Object.entries(settings)) {
    if (value === undefined || value === null) continue;
    const right =
      field === 'insecure-skip-tls-verify' || field === 'disable-compression'
        ? typeof value === 'boolean' || 'true or false'
        : lists.has(field)
          ? Array.isArray(value) || 'a list'
          : maps.has(field)
            ? isMap(value) || 'a map'
            : typeof value === 'string' || 'text (put it in quotes)';
    if (right !== true) throw invalid(`${source}: ${field}`, `must be ${right}`);
  }
}

function firstOfEachName<T extends { name: string }>(all: readonly T[]): T[] {
  const byName = new Map<string, T>();
  for (const one of all) if (!byName.has(one.name)) byName.set(one.name, one);
  return [...byName.values()];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
