/**
 * doctor: checks the way from here to the server, step by step, and what the server knows of its clusters. Each finding
 * says what was seen and, where it is wrong, what to do; what could only fail of the same cause is not tried.
 */
import { type Condition, messageOf } from '@drover/base';
import { Client, type V3Resource } from '../client.ts';
import { chooseServer, readConfig, type SavedServer } from '../config.ts';
import { type GlobalFlags, traceOf } from '../context.ts';
import { say } from '../messages.ts';
import { parseFormat, printData } from '../output.ts';
import { describeCluster } from './doctor-cluster.ts';
import { checkDns, checkPing, checkProxy, checkTcp, checkTls, checkUpgrade, type Finding } from './doctor-way.ts';

type Check = (server: SavedServer, flags: GlobalFlags) => Promise<Finding[]>;

const checks: readonly (readonly [string, Check])[] = [
  ['Proxy', checkProxy],
  ['DNS', checkDns],
  ['TCP', checkTcp],
  ['TLS', checkTls],
  ['HTTP', checkPing],
  ['WebSocket', checkUpgrade],
  ['Sign-in', checkToken],
  ['Clusters', checkClusters],
];

/** Runs the checks and prints the findings; answers whether all are well. */
export async function doctor(flags: GlobalFlags): Promise<boolean> {
  const format = parseFormat(flags.output);
  const { server: saved } = chooseServer(await readConfig(), flags.server ?? process.env['DROVER_SERVER']);
  const server = { ...saved, token: process.env['DROVER_TOKEN'] ?? saved.token };
  const findings: Finding[] = [];
  let untried: string[] = [];
  for (const [i, [check, run]] of checks.entries()) {
    const failed = (error: unknown): Finding[] => [{ check, ok: false, seen: messageOf(error), final: true }];
    const found = await run(server, flags).catch(failed);
    findings.push(...found);
    if (format === 'table') process.stdout.write(found.map(line).join(''));
    if (!found.some(finding => finding.final)) continue;
    untried = checks.slice(i + 1).map(([name]) => name);
    break;
  }
  if (format !== 'table')
    await printData(
      findings.map(({ final: _, ...finding }) => finding),
      format,
    );
  const bad = findings.filter(finding => !finding.ok).length;
  if (format === 'table') {
    if (untried.length > 0) process.stderr.write(`${say('doctorStopped', { checks: untried.join(', ') })}\n`);
    process.stderr.write(`${bad === 0 ? say('doctorOk') : say('doctorBad', { count: bad })}\n`);
  }
  return bad === 0;
}

function line({ check, ok, seen, todo }: Finding): string {
  return `${ok ? '✓' : '✗'} ${check}: ${seen}\n${todo && !ok ? `    → ${todo}\n` : ''}`;
}

async function checkToken(server: SavedServer, flags: GlobalFlags): Promise<Finding[]> {
  if (!server.token)
    return [{ check: 'Sign-in', ok: false, seen: 'not signed in', todo: `drover login ${server.url}`, final: true }];
  await using client = new Client(server, { timeoutMs: 10_000, trace: traceOf(flags) });
  const current = (await client.list('tokens')).find(token => token.id === server.token!.split(':')[0]);
  const version = await client.get('/v3/settings/server-version');
  const until = (current?.['expiresAt'] as string) || 'never expires';
  return [
    {
      check: 'Sign-in',
      ok: true,
      seen: `${server.username ?? 'token'} accepted, ${until === 'never expires' ? until : `until ${until}`}`,
    },
    { check: 'Server', ok: true, seen: `version ${String(version['value'])}` },
  ];
}

async function checkClusters(server: SavedServer, flags: GlobalFlags): Promise<Finding[]> {
  await using client = new Client(server, { timeoutMs: 10_000, trace: traceOf(flags) });
  const all = await client.list('clusters');
  const wanted = flags.cluster;
  const chosen = all.filter(cluster => !wanted || cluster.id === wanted || cluster.name === wanted);
  if (wanted && chosen.length === 0)
    return [{ check: `Cluster ${wanted}`, ok: false, seen: 'not among those you see' }];
  const asked = chosen
    .slice(0, maxAsked)
    .map(async cluster => [describeCluster(cluster), ...endpointOf(cluster), ...(await askAgent(client, cluster))]);
  return [...(await Promise.all(asked)).flat(), ...chosen.slice(maxAsked).map(describeCluster)];
}

/** How many agents are asked at once; one that is named is always. */
const maxAsked = 10;

interface AgentView {
  readonly agentVersion: string;
  readonly clockAheadMs: number;
  readonly findings: readonly { readonly check: string; readonly ok: boolean; readonly detail: string }[];
}

/** What the cluster's agent sees from there, by way of the server. */
async function askAgent(client: Client, cluster: V3Resource): Promise<Finding[]> {
  const link = cluster.links?.['doctor'];
  if (!link) return [];
  const from = `From ${cluster.name ?? cluster.id}`;
  let view: AgentView;
  try {
    view = await client.get<AgentView>(link);
  } catch (error) {
    return [
      { check: from, ok: false, seen: messageOf(error), todo: 'restart the agent there, or bring it up to date' },
    ];
  }
  const seconds = Math.round(Math.abs(view.clockAheadMs) / 1000);
  const clock =
    seconds < 2 ? 'same as the server’s' : `${seconds} s ${view.clockAheadMs < 0 ? 'behind' : 'ahead of'} the server’s`;
  const told = view.findings.filter(({ check }) => check !== 'clock');
  return [
    { check: `${from}, clock`, ok: seconds < 60, seen: clock, todo: 'set the clock (NTP) on both' },
    ...told.map(({ check, ok, detail }) => ({
      check: `${from}, ${check}`,
      ok,
      seen: detail,
      todo: 'mend that in the cluster: the agent’s way starts there',
    })),
  ];
}

/** Whether its kube-apiserver takes this server's tokens, where it is to. */
function endpointOf(cluster: V3Resource): Finding[] {
  if (!(cluster['localClusterAuthEndpoint'] as { enabled?: boolean } | null | undefined)?.enabled) return [];
  const told = ((cluster['conditions'] ?? []) as Condition[]).find(({ type }) => type === 'AuthorizedEndpoint');
  const ok = told?.status === 'True';
  return [
    {
      check: `Cluster ${cluster.name ?? cluster.id}, authorized endpoint`,
      ok,
      seen: ok ? 'its kube-apiserver takes this server’s tokens' : told?.message || 'not looked at yet',
      todo: 'drover clusters endpoint webhook',
    },
  ];
}
