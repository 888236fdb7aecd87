/**
 * What the command line remembers: the servers somebody signed in to, with the token and the CA pinned for each. One
 * private file, replaced whole; a file that can't be read is an error, never overwritten.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { badRequest, notFound, unauthorized } from '@drover/base';
import { say } from './messages.ts';

export interface SavedServer {
  readonly url: string;
  /** PEM; absent where the system's own roots vouch for the server. */
  readonly ca?: string;
  /** `name:key`. */
  readonly token?: string;
  readonly username?: string;
  /** The cluster that commands are about where none is named. */
  readonly cluster?: string;
}

export interface CliConfig {
  readonly version: 1;
  readonly current?: string;
  readonly servers: Readonly<Record<string, SavedServer>>;
}

const empty: CliConfig = { version: 1, servers: {} };

export function configPath(env: NodeJS.ProcessEnv = process.env): string {
  if (env['DROVER_CONFIG']) return env['DROVER_CONFIG'];
  return join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'), 'drover', 'config.json');
}

export async function readConfig(path = configPath()): Promise<CliConfig> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw badRequest(`can't read ${path}`, error);
  });
  if (text === undefined) return empty;
  let parsed: Partial<CliConfig>;
  try {
    parsed = JSON.parse(text) as Partial<CliConfig>;
  } catch (cause) {
    throw badRequest(`${path} is not valid JSON; repair it, or move it away and sign in again`, cause);
  }
  if (typeof parsed.version === 'number' && parsed.version > 1)
    throw badRequest(`${path} was written by a newer drover; use that version`);
  if (parsed.version !== 1 || typeof parsed.servers !== 'object' || parsed.servers === null) {
    throw badRequest(`${path} is not a drover config; move it away and sign in again`);
  }
  return parsed as CliConfig;
}

/** Writes the file whole or not at all, readable by its owner only. */
export async function writeConfig(config: CliConfig, path = configPath()): Promise<void> {
  await writePrivate(path, `${JSON.stringify(config, undefined, 2)}\n`);
}

/** Writes a file that only its owner may read, whole or not at all. */
export async function writePrivate(path: string, text: string): Promise<void> {
  // Loaded when something is written: most commands only read.
  const { writeFileAtomic } = await import('@drover/kube');
  await writeFileAtomic(path, text).catch(cause => {
    throw badRequest(`can't write ${path}`, cause);
  });
}

/** The server meant: by name or URL where one is given, else the current one. */
export function chooseServer(config: CliConfig, wanted?: string): { name: string; server: SavedServer } {
  const name = wanted === undefined ? config.current : nameOf(config, wanted);
  if (name === undefined) throw unauthorized(say('signedInNowhere'));
  const server = config.servers[name];
  if (!server) throw notFound('server', name);
  return { name, server };
}

function nameOf(config: CliConfig, wanted: string): string {
  if (config.servers[wanted]) return wanted;
  const byUrl = Object.entries(config.servers).find(([, server]) => server.url === wanted.replace(/\/+$/, ''));
  if (!byUrl) {
    const known = Object.keys(config.servers).join(', ');
    throw unauthorized(known ? say('unknownServer', { name: wanted, known }) : say('notSignedIn', { url: wanted }));
  }
  return byUrl[0];
}

export function withServer(config: CliConfig, name: string, server: SavedServer): CliConfig {
  return { ...config, current: name, servers: { ...config.servers, [name]: server } };
}
