/** Hosts and the ways to them. */
import type { Executor } from './executor.ts';
import type { SshOptions } from './ssh.ts';

export { type AgentOffer, offerText } from './agent-offer.ts';
export * from './executor.ts';
export { limited } from './limited.ts';
export { connectLocal } from './local.ts';
export { connectRemote, type RemoteOptions } from './remote.ts';
export { serveHost } from './serve-host.ts';
export type { SshOptions } from './ssh.ts';

/** See ssh.ts. Loaded only when a host is reached: a server that has none pays nothing for it. */
export async function connectSsh(options: SshOptions): Promise<Executor> {
  const { connectSsh: connect } = await import('./ssh.ts');
  return await connect(options);
}
