/**
 * The agent that hosts shall have, as a server tells them of it: signed, so that a host takes no other server's word for what runs on it as
 * root. Both sides read it here.
 */
export interface AgentOffer {
  /** SHA-256 of the script that installs it. */
  readonly script: string;
  readonly version: string;
  /** Of the agent, by architecture. */
  readonly ids: Readonly<Record<string, string>>;
  /** All hosts at once would ask for a hundred megabytes each. */
  readonly withinSeconds: number;
  readonly signature: string;
}

/** The words that the server signs. */
export const offerText = ({ script, version, ids }: Pick<AgentOffer, 'script' | 'version' | 'ids'>): string =>
  `drover host agent\n${JSON.stringify([script, version, ids['amd64'] ?? '', ids['arm64'] ?? ''])}`;
