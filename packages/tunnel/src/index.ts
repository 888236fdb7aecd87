/** Tunnels that agents dial and servers open streams through: server, client, and the wire between them. */
export { addressOf, type Target, targetOf } from './address.ts';
export { type ConnectTunnelOptions, connectTunnel, type Opened } from './client.ts';
export type { TlsOptions } from './dial-websocket.ts';
export type { Peer } from './peers.ts';
export { type AcceptOptions, type SessionInfo, TunnelServer, type TunnelServerOptions } from './server.ts';
