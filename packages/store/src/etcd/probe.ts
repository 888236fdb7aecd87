/** Why an endpoint can't be reached: gRPC keeps that to itself, so one plain connection is made to hear it. */
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { messageOf } from '@drover/base';
import type { EtcdTls } from './rpc.ts';

export interface Probe {
  readonly host: string;
  readonly port: number;
  /** Absent: without TLS. */
  readonly tls: EtcdTls | undefined;
  readonly timeoutMs: number;
}

/** The reason in words. Never rejects. */
export async function whyAway({ host, port, tls, timeoutMs }: Probe): Promise<string> {
  const pem = { ca: tls?.ca, cert: tls?.cert, key: tls?.key?.reveal() };
  const socket = tls ? connectTls({ host, port, ...pem, ALPNProtocols: ['h2'] }) : connectPlain({ host, port });
  try {
    await once(socket, tls ? 'secureConnect' : 'connect', { signal: AbortSignal.timeout(timeoutMs) });
    // Under TLS 1.3 the refusal of our own certificate comes after the handshake; silence means that etcd took it.
    if (tls) await once(socket, 'data', { signal: AbortSignal.timeout(200) });
    return 'it can be connected to, but does not answer';
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError')
      return socket.connecting ? 'no answer' : 'it can be connected to, but does not answer';
    return messageOf(error);
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}
