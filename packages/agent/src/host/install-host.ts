/**
 * `drover agent host install`: what the node command ends in. Keeps what was said, makes the unit and starts it, and stays until the
 * server has taken the host in or said why not.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { internal, invalid, messageOf, unavailable, until } from '@drover/base';
import { connectLocal } from '@drover/engine';
import { serverCa } from '../server-trust.ts';
import { addressTowards, resolveAddress } from './addresses.ts';
import { defaultHostDir, ensureHostKey, hostUsage, parseHostFlags, writeHostConfig } from './host-config.ts';
import { type HostState, stateFile } from './run-host.ts';

const unitName = 'drover-node-agent.service';
/** Beside the engine's own units, not among them: those are taken off a host that leaves its cluster. */
const unitDir = '/usr/local/lib/systemd/system';

/** Resolves once the host is registered; throws what is wrong with the flags, or what the server said. */
export async function installHost(
  args: readonly string[],
  { program, write }: { readonly program: string; readonly write: (text: string) => void },
): Promise<void> {
  const config = parseHostFlags(args, { hostname: hostname() });
  if (!config) return write(hostUsage);
  if (config.address) resolveAddress('--address', config.address);
  if (config.internalAddress) resolveAddress('--internal-address', config.internalAddress);
  await using machine = connectLocal();
  await serverCa({ caChecksum: config.caChecksum }, config.server);
  await addressTowards(config.server);
  await mkdir(defaultHostDir, { recursive: true, mode: 0o700 });
  await ensureHostKey(defaultHostDir);
  await writeHostConfig(defaultHostDir, config);
  for (const left of ['registered', 'state.json']) await rm(`${defaultHostDir}/${left}`, { force: true });
  await mkdir(unitDir, { recursive: true });
  await writeFile(`${unitDir}/${unitName}`, unitText(program));
  for (const argv of [
    ['systemctl', 'daemon-reload'],
    ['systemctl', 'enable', unitName],
    ['systemctl', 'restart', unitName],
  ]) {
    const { code, stderr } = await machine.run(argv);
    if (code !== 0) throw internal(`${argv.join(' ')} ended with ${code}: ${stderr.trim().slice(-500)}`);
  }
  const state = await until('an answer of the server', answer, { timeoutMs: 60_000, everyMs: 200 }).catch(error => {
    throw unavailable(`${messageOf(error)}; see journalctl -u ${unitName}`);
  });
  if (state.state === 'refused') {
    // Nobody asks again and again for what was refused.
    await machine.run(['systemctl', 'disable', '--now', unitName]);
    throw invalid('the server', state.message ?? 'refused this host');
  }
  write(`${config.nodeName} is registered at ${config.server}; the server does the rest (journalctl -u ${unitName})\n`);
}

async function answer(): Promise<HostState | undefined> {
  const text = await readFile(stateFile(defaultHostDir), 'utf8').catch(() => '{}');
  const state = JSON.parse(text) as HostState;
  return state.state === 'registered' || state.state === 'refused' ? state : undefined;
}

const unitText = (program: string): string => `[Unit]
Description=Agent of this host, for the server that it registered at
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStartPre=-/bin/sh ${dirname(dirname(program))}/trial.sh
ExecStart=${program} host run
Environment=MALLOC_ARENA_MAX=1
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
`;
