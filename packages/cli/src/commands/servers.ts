/** servers, use, use-cluster: which server and which cluster commands are about. */
import { chooseServer, readConfig, withServer, writeConfig } from '../config.ts';
import { findCluster, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { parseFormat, printList } from '../output.ts';

export async function servers(flags: GlobalFlags): Promise<void> {
  const { current, servers: saved } = await readConfig();
  const rows = Object.entries(saved).map(([name, server]) => ({
    current: name === current,
    name,
    url: server.url,
    username: server.username,
    signedIn: Boolean(server.token),
  }));
  await printList(
    rows,
    [
      { title: ' ', value: row => (row.current ? '*' : ' ') },
      { title: 'NAME', value: row => row.name },
      { title: 'URL', value: row => row.url },
      { title: 'USER', value: row => (row.signedIn ? row.username : undefined) },
    ],
    { format: parseFormat(flags.output), none: say('nothing') },
  );
}

export async function use(wanted: string): Promise<void> {
  const config = await readConfig();
  const { name, server } = chooseServer(config, wanted);
  await writeConfig(withServer(config, name, server));
}

export async function useCluster(wanted: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const cluster = await findCluster(context, wanted);
  await context.save({ ...context.server, cluster: cluster.id });
  process.stderr.write(`${say('currentCluster', { name: cluster.name ?? cluster.id })}\n`);
}
