/**
 * The agent that hosts shall have, as they are told of it: signed, so that a host takes no other server's word for what runs on it as root.
 */
import { createHash } from 'node:crypto';
import type { ServerIdentity } from '../connect/server-identity.ts';
import type { AgentArchive } from './agent-archives.ts';
import { installScript } from './node-command.ts';

/** As agents read it (packages/agent/src/host/self-update.ts). */
export interface AgentOffer {
  readonly script: string;
  readonly version: string;
  readonly ids: Readonly<Record<string, string>>;
  readonly withinSeconds: number;
  readonly signature: string;
}

const longestSeconds = 600;

/** `hosts`: how many will ask for it. Undefined where this server has none to give. */
export function agentOffer(
  archives: readonly AgentArchive[],
  { identity, hosts }: { readonly identity: Pick<ServerIdentity, 'vouch'>; readonly hosts: number },
): AgentOffer | undefined {
  const [first] = archives;
  if (!first) return undefined;
  const script = createHash('sha256').update(installScript(archives)).digest('hex');
  const version = first.image.slice(first.image.lastIndexOf(':') + 1);
  const ids = Object.fromEntries(archives.map(({ arch, id }) => [arch, id]));
  const text = `drover host agent\n${JSON.stringify([script, version, ids['amd64'] ?? '', ids['arm64'] ?? ''])}`;
  return { script, version, ids, withinSeconds: Math.min(hosts, longestSeconds), signature: identity.vouch(text) };
}
