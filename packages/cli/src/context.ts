/** What every command starts from: the flags all of them share, the server meant, and a client of it. */
import { unauthorized } from '@drover/base';
import { Client, type V3Resource } from './client.ts';
import { type CliConfig, chooseServer, readConfig, type SavedServer, withServer, writeConfig } from './config.ts';
import { say } from './messages.ts';
import { type Format, parseFormat } from './output.ts';

export interface GlobalFlags {
  readonly server?: string;
  readonly cluster?: string;
  readonly output?: string;
  readonly debug?: boolean;
}

export interface Context extends AsyncDisposable {
  readonly config: CliConfig;
  readonly name: string;
  readonly server: SavedServer;
  readonly client: Client;
  readonly format: Format;
  readonly flags: GlobalFlags;
  /** Keeps a change of the server's entry. */
  save(server: SavedServer): Promise<void>;
}

export function traceOf(flags: GlobalFlags): ((line: string) => void) | undefined {
  return flags.debug ? line => process.stderr.write(`${line}\n`) : undefined;
}

/** Opens the context of a signed-in command; throws Unauthorized that says how to sign in. */
export async function openContext(flags: GlobalFlags): Promise<Context> {
  const format = parseFormat(flags.output);
  const config = await readConfig();
  const { name, server } = chooseServer(config, flags.server ?? process.env['DROVER_SERVER']);
  const token = process.env['DROVER_TOKEN'] ?? server.token;
  if (!token) throw unauthorized(say('notSignedIn', { url: server.url }));
  const client = new Client({ ...server, token }, { trace: traceOf(flags) });
  return {
    config,
    name,
    server: { ...server, token },
    client,
    format,
    flags,
    save: changed => writeConfig(withServer(config, name, changed)),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** The cluster of that id or name; throws Invalid where a name means several, NotFound where none. */
export async function findCluster(context: Context, wanted: string | undefined): Promise<V3Resource> {
  const { invalid, notFound } = await import('@drover/base');
  const all = await context.client.list('clusters');
  const target = wanted ?? context.flags.cluster ?? process.env['DROVER_CLUSTER'] ?? context.server.cluster;
  if (target === undefined) {
    if (all.length === 1) return all[0]!;
    throw invalid(
      '--cluster',
      `${all.length === 0 ? 'there is no cluster' : `name one of ${all.map(cluster => cluster.name ?? cluster.id).join(', ')}, before the command, or choose one with drover use-cluster`}`,
    );
  }
  const found = all.filter(cluster => cluster.id === target);
  if (found.length === 0) found.push(...all.filter(cluster => cluster.name === target));
  if (found.length > 1)
    throw invalid(
      '--cluster',
      `"${target}" is the name of ${found.map(cluster => cluster.id).join(' and ')}; use the id`,
    );
  if (!found[0]) throw notFound('cluster', target);
  return found[0];
}
