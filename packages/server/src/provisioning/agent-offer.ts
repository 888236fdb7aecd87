/** The agent that hosts shall have, offered to each that asks what is to be done: worked out once for what this server has now. */
import { createHash } from 'node:crypto';
import { type AgentOffer, offerText } from '@drover/engine';
import type { ServerIdentity } from '../connect/server-identity.ts';
import type { AgentArchive } from './agent-archives.ts';
import { installScript } from './node-command.ts';

const longestSeconds = 600;

export class AgentOffers {
  readonly #identity: Pick<ServerIdentity, 'vouch'>;
  #made: { readonly of: string; readonly offer: Omit<AgentOffer, 'withinSeconds'> } | undefined;

  constructor(identity: Pick<ServerIdentity, 'vouch'>) {
    this.#identity = identity;
  }

  /** `hosts`: how many will ask for it. Undefined where this server has none to give. */
  of(archives: readonly AgentArchive[], hosts: number): AgentOffer | undefined {
    const [first] = archives;
    if (!first) return undefined;
    const of = archives.map(({ arch, id, image }) => `${arch} ${id} ${image}`).join();
    if (this.#made?.of !== of) this.#made = { of, offer: this.#make(archives, first) };
    return { ...this.#made.offer, withinSeconds: Math.min(hosts, longestSeconds) };
  }

  #make(archives: readonly AgentArchive[], { image }: AgentArchive): Omit<AgentOffer, 'withinSeconds'> {
    const script = createHash('sha256').update(installScript(archives)).digest('hex');
    const version = image.slice(image.lastIndexOf(':') + 1);
    const ids = Object.fromEntries(archives.map(({ arch, id }) => [arch, id]));
    return { script, version, ids, signature: this.#identity.vouch(offerText({ script, version, ids })) };
  }
}
